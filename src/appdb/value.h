// Values that go into and come out of the application database, the same for both engines.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "base/time.h"

namespace basalt::appdb {

struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};

// Text is UTF-8 without NUL. Timestamps are UTC: SQLite keeps them as text in the form of base/time.h, PostgreSQL as
// timestamptz; both hand them out as that text, so a Timestamp read back arrives as text and Row::time parses it.
using Value = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Blob>;

// What a `?` in a statement is bound to. Converts from everything a feature holds.
class Parameter {
 public:
  Parameter(std::nullptr_t) : value_(nullptr) {}
  Parameter(bool v) : value_(v) {}
  Parameter(int v) : value_(std::int64_t{v}) {}
  Parameter(std::int64_t v) : value_(v) {}
  Parameter(double v) : value_(v) {}
  Parameter(const char* v) : value_(std::string(v)) {}
  Parameter(std::string v) : value_(std::move(v)) {}
  Parameter(std::string_view v) : value_(std::string(v)) {}
  Parameter(Blob v) : value_(std::move(v)) {}
  Parameter(Timestamp v) : value_(to_text(v)) {}
  Parameter(Value v) : value_(std::move(v)) {}
  Parameter(const json::value& v) : value_(json::write(v)) {}     // JSON documents are stored as text, as written
  Parameter(const json::object& v) : Parameter(json::value(v)) {}
  Parameter(const json::array& v) : Parameter(json::value(v)) {}
  template <class Tag>
  Parameter(Id<Tag> v) : value_(v.value) {}
  template <class T>
  Parameter(const std::optional<T>& v) : value_(v ? Parameter(*v).value_ : Value(nullptr)) {}

  const Value& value() const { return value_; }

 private:
  Value value_;
};

using Parameters = std::vector<Parameter>;

// One row with its column names. Reading a column that is not there, or as the wrong type, is our mistake: Failure Bug.
class Row {
 public:
  Row(std::shared_ptr<const std::vector<std::string>> names, std::vector<Value> values);

  const std::vector<std::string>& names() const { return *names_; }
  const std::vector<Value>& values() const { return values_; }
  const Value& operator[](std::string_view column) const;
  bool is_null(std::string_view column) const;

  std::int64_t integer(std::string_view column) const;
  double real(std::string_view column) const;           // integers too
  bool boolean(std::string_view column) const;          // SQLite's 0 and 1 too
  const std::string& text(std::string_view column) const;
  Timestamp time(std::string_view column) const;
  json::value json(std::string_view column) const;      // null column: JSON null
  std::string blob(std::string_view column) const;
  template <class IdType>
  IdType id(std::string_view column) const { return IdType(integer(column)); }

  std::optional<std::int64_t> optional_integer(std::string_view column) const;
  std::optional<double> optional_real(std::string_view column) const;
  std::optional<bool> optional_boolean(std::string_view column) const;
  std::optional<std::string> optional_text(std::string_view column) const;
  std::optional<Timestamp> optional_time(std::string_view column) const;
  template <class IdType>
  std::optional<IdType> optional_id(std::string_view column) const {
    auto i = optional_integer(column);
    return i ? std::optional<IdType>(IdType(*i)) : std::nullopt;
  }

 private:
  std::shared_ptr<const std::vector<std::string>> names_;
  std::vector<Value> values_;
};

}  // namespace basalt::appdb
