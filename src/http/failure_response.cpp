#include "http/failure_response.h"

#include "base/log.h"

namespace basalt::http {
namespace {

struct StatusRow {
  FailureKind kind;
  int status;
  const char* type;  // in the JSON of a 500 and in logs
};

constexpr StatusRow table[] = {
    {FailureKind::BadRequest, 400, "bad-request"},   {FailureKind::SignInNeeded, 401, "sign-in-needed"},
    {FailureKind::Forbidden, 403, "forbidden"},      {FailureKind::NotFound, 404, "not-found"},
    {FailureKind::Conflict, 409, "conflict"},        {FailureKind::Unsupported, 400, "unsupported"},
    {FailureKind::TooLarge, 413, "too-large"},       {FailureKind::TooMany, 429, "too-many"},
    {FailureKind::Database, 400, "database"},        {FailureKind::Timeout, 504, "timeout"},
    {FailureKind::Cancelled, 499, "cancelled"},      {FailureKind::Unavailable, 503, "unavailable"},
    {FailureKind::Bug, 500, "bug"},
};

const StatusRow& row_of(FailureKind kind) {
  for (auto& row : table) {
    if (row.kind == kind) return row;
  }
  return table[std::size(table) - 1];
}

// Long segments are tokens, mostly: not for the log.
std::string loggable(const std::string& path) {
  std::string out;
  std::size_t begin = 0;
  while (begin < path.size()) {
    auto end = std::min(path.find('/', begin + 1), path.size());
    if (end - begin > 40) out += "/...";
    else out.append(path, begin, end - begin);
    begin = end;
  }
  return out;
}

Response bug_response(const std::string& request_id) {
  std::string sentence = "Something went wrong on the server. Its log has more under request " + request_id + ".";
  json::object body{{"message", sentence}, {"type", "bug"}, {"via", json::array{json::object{{"type", "bug"}, {"message", sentence}}}},
                    {"trace", json::array()}, {"cause", sentence}, {"request_id", request_id}};
  return Response::json(body, 500);
}

}  // namespace

int status_of(FailureKind kind) { return row_of(kind).status; }

Response failure_response(const Failure& failure, const std::string& request_id) {
  int status = status_of(failure.kind());
  if (failure.kind() == FailureKind::Bug) return bug_response(request_id);
  if (!failure.fields().empty()) {
    json::object errors;
    for (auto& [field, sentence] : failure.fields()) errors[field] = sentence;
    json::object body{{"errors", std::move(errors)}};
    if (failure.kind() == FailureKind::Database) body["message"] = failure.sentence();  // the database's own words, beside the field
    // bad_field() says its sentence twice; a body that failed validation as a whole repeats the sentences as lists.
    bool hand_written = failure.fields().size() == 1 && failure.fields().begin()->second == failure.sentence();
    if (!hand_written && status == 400) {
      json::object specific;
      for (auto& [field, sentence] : failure.fields()) specific[field] = json::array{json::value(sentence)};
      body["specific-errors"] = std::move(specific);
    }
    return Response::json(body, status);
  }
  // Clients look for these two texts.
  if (failure.kind() == FailureKind::SignInNeeded) return Response::text("Unauthenticated", status);
  if (failure.kind() == FailureKind::Forbidden || failure.kind() == FailureKind::NotFound) return Response::text(failure.sentence(), status);
  if (!failure.error_type().empty() || !failure.place().empty()) {
    json::object body{{"message", failure.sentence()}};
    if (!failure.error_type().empty()) body["error_type"] = failure.error_type();
    if (!failure.place().empty()) body["place"] = failure.place();
    return Response::json(body, status);
  }
  auto response = Response::text(failure.sentence(), status);
  if (status == 503) response.headers.emplace_back("Retry-After", "2");
  return response;
}

Response failure_response(std::exception_ptr thrown, const Request& request) {
  auto log_failure = [&](const char* what, const std::string& sentence, const std::string& details) {
    log::error(what, {{"request", request.id}, {"path", loggable(request.path)}, {"sentence", sentence}, {"details", details}});
  };
  try {
    std::rethrow_exception(thrown);
  } catch (const Failure& failure) {
    if (failure.kind() == FailureKind::Bug) log_failure("request failed", failure.sentence(), failure.details());
    else if (failure.kind() == FailureKind::Unavailable) {
      log::warning("request refused", {{"request", request.id}, {"path", loggable(request.path)}, {"sentence", failure.sentence()}, {"details", failure.details()}});
    }
    return failure_response(failure, request.id);
  } catch (const std::bad_alloc&) {
    log_failure("request failed", "out of memory", "");
    return failure_response(Failure(FailureKind::Unavailable, "The server is short of memory. Try again in a moment."), request.id);
  } catch (const std::exception& problem) {
    log_failure("request failed", "unexpected exception", problem.what());
    return bug_response(request.id);
  } catch (...) {
    log_failure("request failed", "unknown exception", "");
    return bug_response(request.id);
  }
}

}  // namespace basalt::http
