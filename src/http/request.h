// A request and its answer as handlers see them: no sockets, no threads.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/failure.h"
#include "base/json.h"
#include "http/caller.h"

namespace basalt::http {

enum class Method { Get, Post, Put, Delete, Patch, Options, Head };

struct Request {
  Method method = Method::Get;
  std::string path;                                        // decoded, without query, without trailing slash
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;                                        // at most the limit of the route
  std::string remote_address;                              // of the peer, or of X-Forwarded-For when the peer is trusted
  bool is_https = false;
  std::string id;                                          // request id: in the log, in error answers, in X-Request-Id
  std::map<std::string, std::string, std::less<>> path_values;  // ":id" of the route's pattern
  std::shared_ptr<const Caller> caller_or_none;            // nullptr: anonymous
  std::stop_token gone;                                    // stop is requested, on a worker thread, when the client went away

  const Caller& caller() const;                            // throws Failure SignInNeeded when anonymous
  std::optional<std::string_view> header(std::string_view lower_case_name) const;
  std::optional<std::string> cookie(std::string_view name) const;
  std::optional<std::string> query_value(std::string_view name) const;    // the first
  std::vector<std::string> query_values(std::string_view name) const;     // all, for repeated keys
  bool query_flag(std::string_view name, bool otherwise = false) const;   // "true"/"false"; anything else: BadRequest at the name
  std::optional<std::int64_t> query_integer(std::string_view name) const; // BadRequest at the name when it is no integer
  const std::string& path_value(std::string_view name) const;
  // A positive integer in the path; anything else is a missing object: Failure NotFound.
  std::int64_t path_integer(std::string_view name) const;
  template <class IdType>
  IdType path_id(std::string_view name) const { return IdType(path_integer(name)); }
  // The body as JSON; an empty body is an empty object. Form posts become an object of texts. Throws BadRequest.
  json::value json_body() const;
};

// Where a streaming answer goes. Used on one worker thread. All calls throw Failure Cancelled once the client has gone.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  // Sends status and headers; must come before the first write. Not called at all = the producer failed before it began:
  // throw, and the failure becomes an ordinary error answer.
  virtual void start(int status, std::vector<std::pair<std::string, std::string>> headers) = 0;
  // Blocks while the client is slower than we are (at most a few chunks are kept). Best in pieces of 16 to 64 kB.
  virtual void write(std::string_view bytes) = 0;
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // When set: run on the query pool, writes the body while it is made (chunked). Whatever it captures must outlive it or be owned.
  std::function<void(ResponseStream&)> producer;

  static Response json(const json::value& v, int status = 200);   // application/json;charset=utf-8
  static Response text(std::string body, int status = 200);       // text/plain
  static Response html(std::string body, int status = 200);
  static Response no_content();                                   // 204
  static Response stream(std::function<void(ResponseStream&)> producer);
  Response&& with_header(std::string name, std::string value) &&;
};

}  // namespace basalt::http
