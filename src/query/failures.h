// The failures of a wrong query, with the place in it.
#pragma once
#include <string>

#include "base/failure.h"

namespace basalt::query {

[[noreturn]] inline void invalid_query(std::string sentence, std::string place = {}) {
  throw Failure(FailureKind::BadRequest, std::move(sentence)).with_error_type("invalid-query").with_place(std::move(place));
}
[[noreturn]] inline void invalid_parameter(std::string sentence, std::string place = {}) {
  throw Failure(FailureKind::BadRequest, std::move(sentence)).with_error_type("invalid-parameter").with_place(std::move(place));
}
[[noreturn]] inline void missing_parameter(std::string sentence) {
  throw Failure(FailureKind::BadRequest, std::move(sentence)).with_error_type("missing-required-parameter");
}
[[noreturn]] inline void unsupported(std::string sentence, std::string place = {}) {
  throw Failure(FailureKind::Unsupported, std::move(sentence)).with_error_type("unsupported-feature").with_place(std::move(place));
}

}  // namespace basalt::query
