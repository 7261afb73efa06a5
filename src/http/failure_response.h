// The one table that turns a failure into what is answered over HTTP.
#pragma once
#include <exception>

#include "http/request.h"

namespace basalt::http {

int status_of(FailureKind kind);
// The answer to a Failure. Never tells details(); those go to the log, with the request's id.
Response failure_response(const Failure& failure, const std::string& request_id);
// Answers whatever was thrown and logs what is ours: called inside the one catch of a request.
Response failure_response(std::exception_ptr thrown, const Request& request);

}  // namespace basalt::http
