#include "http/request.h"

#include <charconv>

#include "http/url_text.h"

namespace basalt::http {

std::string Caller::common_name() const {
  if (first_name.empty() && last_name.empty()) return email;
  if (first_name.empty()) return last_name;
  if (last_name.empty()) return first_name;
  return first_name + " " + last_name;
}

const Caller& Request::caller() const {
  if (!caller_or_none) throw Failure(FailureKind::SignInNeeded, "Unauthenticated");
  return *caller_or_none;
}

std::optional<std::string_view> Request::header(std::string_view lower_case_name) const {
  for (auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return std::nullopt;
}

std::optional<std::string> Request::cookie(std::string_view wanted) const {
  for (auto& [name, value] : headers) {
    if (name != "cookie") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      auto end = rest.find(';');
      auto pair = rest.substr(0, end);
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
      while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
      auto equals = pair.find('=');
      if (equals == std::string_view::npos || pair.substr(0, equals) != wanted) continue;
      auto found = pair.substr(equals + 1);
      if (found.size() >= 2 && found.front() == '"' && found.back() == '"') found = found.substr(1, found.size() - 2);
      return std::string(found);
    }
  }
  return std::nullopt;
}

std::optional<std::string> Request::query_value(std::string_view wanted) const {
  for (auto& [name, value] : query) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

std::vector<std::string> Request::query_values(std::string_view wanted) const {
  std::vector<std::string> found;
  for (auto& [name, value] : query) {
    if (name == wanted) found.push_back(value);
  }
  return found;
}

bool Request::query_flag(std::string_view name, bool otherwise) const {
  auto value = query_value(name);
  if (!value || value->empty()) return otherwise;
  if (*value == "true") return true;
  if (*value == "false") return false;
  throw bad_field(std::string(name), "value must be true or false.");
}

std::optional<std::int64_t> Request::query_integer(std::string_view name) const {
  auto value = query_value(name);
  if (!value || value->empty()) return std::nullopt;
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error != std::errc() || end != value->data() + value->size()) throw bad_field(std::string(name), "value must be an integer.");
  return number;
}

const std::string& Request::path_value(std::string_view name) const {
  auto found = path_values.find(name);
  if (found == path_values.end()) {
    throw Failure(FailureKind::Bug, "The route has no such part.").with_details("path value " + std::string(name));
  }
  return found->second;
}

std::int64_t Request::path_integer(std::string_view name) const {
  auto& value = path_value(name);
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number <= 0) throw not_found();
  return number;
}

json::value Request::json_body() const {
  if (body.find_first_not_of(" \t\r\n") == std::string::npos) return json::object();
  auto type = header("content-type").value_or("");
  // curl says "form" of everything it is given with -d: a body that begins as JSON is JSON.
  char first = body[body.find_first_not_of(" \t\r\n")];
  if (type.starts_with("application/x-www-form-urlencoded") && first != '{' && first != '[') {
    json::object fields;
    for (auto& [name, value] : parse_query_text(body)) fields[name] = value;
    return fields;
  }
  return json::parse(body);
}

Response Response::json(const basalt::json::value& v, int status) {
  return {.status = status, .headers = {{"Content-Type", "application/json;charset=utf-8"}}, .body = basalt::json::write(v)};
}

Response Response::text(std::string body, int status) {
  return {.status = status, .headers = {{"Content-Type", "text/plain;charset=utf-8"}}, .body = std::move(body)};
}

Response Response::html(std::string body, int status) {
  return {.status = status, .headers = {{"Content-Type", "text/html;charset=utf-8"}}, .body = std::move(body)};
}

Response Response::no_content() { return {.status = 204}; }

Response Response::stream(std::function<void(ResponseStream&)> producer) {
  Response response;
  response.producer = std::move(producer);
  return response;
}

Response&& Response::with_header(std::string name, std::string value) && {
  headers.emplace_back(std::move(name), std::move(value));
  return std::move(*this);
}

}  // namespace basalt::http
