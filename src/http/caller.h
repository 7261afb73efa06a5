// Who is asking. Filled in by session/ (through Authenticator) before a handler runs.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"

namespace basalt::http {

struct Caller {
  PersonId person;
  std::string email, first_name, last_name, locale;
  bool is_administrator = false;
  std::vector<GroupId> groups;     // sorted, with All Users
  std::string session_key_hash;    // empty for API keys
  bool by_api_key = false;
  std::string common_name() const;  // "First Last", or the e-mail when both are empty
};

struct Request;

class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // nullptr when the request carries no valid credential. Runs on a worker thread; may read the application database.
  virtual std::shared_ptr<const Caller> authenticate(const Request& request) = 0;
};

}  // namespace basalt::http
