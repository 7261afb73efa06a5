// For tests: the server that BASALT_TEST_MYSQL names ("mysql://user:password@host:port/"), where tests may make databases.
#pragma once
#include <cstdlib>
#include <optional>
#include <string>

#include "base/json.h"

namespace basalt::drivers::mysql::testing {

// Connection details with `dbname`; nothing when no server is given.
inline std::optional<json::object> server(const std::string& dbname) {
  auto* text = std::getenv("BASALT_TEST_MYSQL");
  if (!text || !*text) return std::nullopt;
  std::string rest(text);
  rest = rest.substr(rest.find("://") + 3);
  auto at = rest.find('@');
  auto person = rest.substr(0, at), place = rest.substr(at + 1);
  place = place.substr(0, place.find('/'));
  auto colon = place.rfind(':'), secret = person.find(':');
  json::object details{{"host", place.substr(0, colon)}, {"port", std::atoi(place.c_str() + colon + 1)}, {"user", person.substr(0, secret)}, {"dbname", dbname}};
  if (secret != std::string::npos) details["password"] = person.substr(secret + 1);
  return details;
}

}  // namespace basalt::drivers::mysql::testing
