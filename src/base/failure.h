// The one exception type: thrown when the work at hand cannot go on, caught once per door (HTTP request, command, job).
#pragma once
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace basalt {

// What went wrong, from the point of view of who has to act. http/failure_response.cpp turns it into a status code.
enum class FailureKind {
  BadRequest,     // the input is wrong: 400
  SignInNeeded,   // no valid credential: 401
  Forbidden,      // known person without the right: 403
  NotFound,       // no such thing, or the person may not know of it: 404
  Conflict,       // somebody else was faster, or it exists already: 409
  Unsupported,    // asked of an engine that cannot: 400
  TooLarge,       // over a limit: 413
  TooMany,        // throttled: 429, or 401 at sign-in
  Database,       // the queried database refused; the message is the database's own: 400 or a failed query result
  Timeout,        // a deadline passed: 504
  Cancelled,      // the client went away or asked to stop: nothing is sent
  Unavailable,    // starting, stopping, or a queue is full: 503
  Bug,            // ours: 500
};

class Failure : public std::runtime_error {
 public:
  // `sentence`: for the person; says what was wrong and what would be right. No secrets, no strangers' data.
  Failure(FailureKind kind, std::string sentence);

  FailureKind kind() const { return kind_; }
  std::string sentence() const { return what(); }

  // For the log only, never for the person.
  const std::string& details() const { return details_; }
  Failure&& with_details(std::string details) &&;

  // Sentences by request field, answered as {"errors": {field: sentence}}. Empty when no field is to blame.
  const std::map<std::string, std::string>& fields() const { return fields_; }
  Failure&& with_field(std::string field, std::string sentence) &&;

  // Machine-readable reason as API clients know it ("invalid-query", "missing-required-permissions", …), or empty.
  const std::string& error_type() const { return error_type_; }
  Failure&& with_error_type(std::string type) &&;

  // The place in a query at fault: a path like "query.filter[1]", or empty.
  const std::string& place() const { return place_; }
  Failure&& with_place(std::string place) &&;

 private:
  FailureKind kind_;
  std::string details_, error_type_, place_;
  std::map<std::string, std::string> fields_;
};

// 400 with the sentence at the field: {"errors": {field: sentence}}.
Failure bad_field(std::string field, std::string sentence);
Failure not_found();                              // "Not found."
Failure forbidden();                              // "You don't have permissions to do that."
// Blames the input: throws BadRequest when `condition` is false. For our own mistakes use assert.
void require(bool condition, std::string_view sentence);

}  // namespace basalt
