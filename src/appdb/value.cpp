#include "appdb/value.h"

#include "base/failure.h"

namespace basalt::appdb {
namespace {

[[noreturn]] void wrong_type(std::string_view column, std::string_view wanted) {
  throw Failure(FailureKind::Bug, "Something went wrong on our side.")
      .with_details("column " + std::string(column) + " of the application database is no " + std::string(wanted));
}

}  // namespace

Row::Row(std::shared_ptr<const std::vector<std::string>> names, std::vector<Value> values)
    : names_(std::move(names)), values_(std::move(values)) {}

const Value& Row::operator[](std::string_view column) const {
  for (std::size_t i = 0; i < names_->size(); ++i)
    if ((*names_)[i] == column) return values_[i];
  throw Failure(FailureKind::Bug, "Something went wrong on our side.")
      .with_details("the result of a statement on the application database has no column " + std::string(column));
}

bool Row::is_null(std::string_view column) const { return std::holds_alternative<std::nullptr_t>((*this)[column]); }

std::int64_t Row::integer(std::string_view column) const {
  auto& v = (*this)[column];
  if (auto* i = std::get_if<std::int64_t>(&v)) return *i;
  if (auto* b = std::get_if<bool>(&v)) return *b ? 1 : 0;
  wrong_type(column, "integer");
}

double Row::real(std::string_view column) const {
  auto& v = (*this)[column];
  if (auto* d = std::get_if<double>(&v)) return *d;
  if (auto* i = std::get_if<std::int64_t>(&v)) return static_cast<double>(*i);
  wrong_type(column, "number");
}

bool Row::boolean(std::string_view column) const {
  auto& v = (*this)[column];
  if (auto* b = std::get_if<bool>(&v)) return *b;
  if (auto* i = std::get_if<std::int64_t>(&v); i && (*i == 0 || *i == 1)) return *i == 1;
  wrong_type(column, "boolean");
}

const std::string& Row::text(std::string_view column) const {
  if (auto* s = std::get_if<std::string>(&(*this)[column])) return *s;
  wrong_type(column, "text");
}

Timestamp Row::time(std::string_view column) const {
  if (auto at = parse_timestamp(text(column))) return *at;
  wrong_type(column, "timestamp");
}

json::value Row::json(std::string_view column) const {
  if (is_null(column)) return nullptr;
  if (auto v = json::try_parse(text(column))) return std::move(*v);
  wrong_type(column, "JSON document");
}

std::string Row::blob(std::string_view column) const {
  if (auto* b = std::get_if<Blob>(&(*this)[column])) return b->bytes;
  wrong_type(column, "blob");
}

std::optional<std::int64_t> Row::optional_integer(std::string_view column) const {
  return is_null(column) ? std::nullopt : std::optional(integer(column));
}
std::optional<double> Row::optional_real(std::string_view column) const {
  return is_null(column) ? std::nullopt : std::optional(real(column));
}
std::optional<bool> Row::optional_boolean(std::string_view column) const {
  return is_null(column) ? std::nullopt : std::optional(boolean(column));
}
std::optional<std::string> Row::optional_text(std::string_view column) const {
  return is_null(column) ? std::nullopt : std::optional(text(column));
}
std::optional<Timestamp> Row::optional_time(std::string_view column) const {
  return is_null(column) ? std::nullopt : std::optional(time(column));
}

}  // namespace basalt::appdb
