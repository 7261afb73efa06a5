#include "base/failure.h"

namespace basalt {

Failure::Failure(FailureKind kind, std::string sentence) : std::runtime_error(std::move(sentence)), kind_(kind) {}

Failure&& Failure::with_details(std::string details) && { details_ = std::move(details); return std::move(*this); }

Failure&& Failure::with_field(std::string field, std::string sentence) && {
  fields_[std::move(field)] = std::move(sentence);
  return std::move(*this);
}

Failure&& Failure::with_error_type(std::string type) && { error_type_ = std::move(type); return std::move(*this); }

Failure&& Failure::with_place(std::string place) && { place_ = std::move(place); return std::move(*this); }

Failure bad_field(std::string field, std::string sentence) {
  return Failure(FailureKind::BadRequest, sentence).with_field(std::move(field), sentence);
}

Failure not_found() { return Failure(FailureKind::NotFound, "Not found."); }

Failure forbidden() { return Failure(FailureKind::Forbidden, "You don't have permissions to do that."); }

void require(bool condition, std::string_view sentence) {
  if (!condition) throw Failure(FailureKind::BadRequest, std::string(sentence));
}

}  // namespace basalt
