#include "stream/encoder.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/json.h"
#include "stream/text.h"

namespace basalt::stream {
namespace {

using rows::Kind;
using rows::Vector;

constexpr std::int64_t largest_exact = 9007199254740991;  // 2^53 - 1

void append_integer(std::string& out, std::int64_t number) {
  char buffer[24];
  out.append(buffer, static_cast<std::size_t>(std::to_chars(buffer, buffer + sizeof buffer, number).ptr - buffer));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Is it a number as JSON writes them? Engines also say NaN and Infinity.
bool is_number(std::string_view text) {
  std::size_t at = 0;
  auto digits = [&] {
    auto start = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at > start;
  };
  if (at < text.size() && text[at] == '-') ++at;
  auto first = at;
  if (!digits() || (text[first] == '0' && at - first > 1)) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) return false;
  }
  return at == text.size();
}

bool is_giant_integer(std::string_view text) {
  if (text.size() < 16 || text.find_first_of(".eE") != std::string_view::npos) return false;
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error != std::errc() || number > largest_exact || number < -largest_exact;
}

// "2024-05-17" at the start of the text, as days since 1970; absent when it is no usual date ("infinity", years BC).
std::optional<std::int64_t> days_of(std::string_view text) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  for (std::size_t i : {0, 1, 2, 3, 5, 6, 8, 9}) {
    if (!is_digit(text[i])) return std::nullopt;
  }
  auto number = [&](std::size_t at, std::size_t length) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + length, value);
    return value;
  };
  std::chrono::year_month_day date{std::chrono::year(number(0, 4)), std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                   std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

void append_offset(std::string& out, int seconds) {
  if (seconds == 0) { out += 'Z'; return; }
  out += seconds < 0 ? '-' : '+';
  seconds = std::abs(seconds);
  auto two = [&](int number) {
    out += static_cast<char>('0' + number / 10);
    out += static_cast<char>('0' + number % 10);
  };
  two(seconds / 3600);
  out += ':';
  two(seconds / 60 % 60);
  if (seconds % 60) { out += ':'; two(seconds % 60); }
}

// What the three forms share: how a value looks.
class Base : public Encoder {
 public:
  Base(std::vector<OutputColumn> columns, EncoderOptions options) : columns_(std::move(columns)), options_(options) {
    if (options_.zone && options_.zone->is_utc()) options_.zone = nullptr;
  }

 protected:
  enum class Temporal { WithOffset, AsIs };

  void append_json(std::string& out, const Vector& column, std::size_t row, Temporal temporal, const TimeZone* zone = nullptr) {
    if (column.is_null(row)) { out += "null"; return; }
    switch (column.kind()) {
      case Kind::Integer: {
        auto number = column.integer(row);
        bool quoted = options_.integers_as_text && (number > largest_exact || number < -largest_exact);
        if (quoted) out += '"';
        append_integer(out, number);
        if (quoted) out += '"';
        break;
      }
      case Kind::Real: json::write_number(out, column.real(row)); break;
      case Kind::Boolean: out += column.integer(row) ? "true" : "false"; break;
      case Kind::Decimal: {
        auto text = column.text(row);
        if (!is_number(text)) out += "null";
        else if (options_.integers_as_text && is_giant_integer(text)) ((out += '"') += text) += '"';
        else out += text;
        break;
      }
      case Kind::Date:
      case Kind::Time:
      case Kind::Timestamp:
      case Kind::TimestampTz:
        if (temporal == Temporal::WithOffset) append_instant(out, column.kind(), column.text(row), zone ? zone : options_.zone);
        else append_json_text(out, column.text(row));
        break;
      case Kind::Text:
      case Kind::Bytes:
      case Kind::Json: append_json_text(out, column.text(row)); break;
    }
  }

  // The label of the value, or nullptr.
  const std::string* label_of(const OutputColumn& column, const Vector& vector, std::size_t row) {
    scratch_.clear();
    append_json(scratch_, vector, row, Temporal::WithOffset);
    auto found = column.labels->find(scratch_);
    return found == column.labels->end() ? nullptr : &found->second;
  }

  const std::vector<OutputColumn> columns_;
  EncoderOptions options_;

 private:
  static void append_instant(std::string& out, Kind kind, std::string_view text, const TimeZone* zone) {
    if (kind == Kind::Time) {
      bool zoned = text.find_first_of("Z+-") != std::string_view::npos;
      (((out += '"') += text) += zoned ? "" : "Z") += '"';
      return;
    }
    if (kind == Kind::TimestampTz) return append_json_text(out, text);
    bool usual = text.size() >= 10 && is_digit(text[0]) && text[4] == '-' && !text.ends_with("BC") && (kind == Kind::Date ? text.size() == 10 : text.size() >= 19);
    if (!usual) return append_json_text(out, text);
    (out += '"') += text;
    if (kind == Kind::Date) out += "T00:00:00";
    if (zone) append_offset(out, offset_of(text, *zone));
    else out += 'Z';
    out += '"';
  }

  static int offset_of(std::string_view text, const TimeZone& zone) {
    auto days = days_of(text);
    if (!days) return 0;
    std::int64_t seconds = 0;
    if (text.size() >= 19) {
      auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
      seconds = two(11) * 3600 + two(14) * 60 + two(17);
    }
    return zone.offset_of_local(*days * 86400 + seconds);
  }

  std::string scratch_;
};

class ApiRows final : public Base {
 public:
  using Base::Base;
  void begin(std::string&) override {}
  void append(std::string& out, const rows::Batch& batch, std::size_t rows) override {
    for (std::size_t row = 0; row < rows; ++row) {
      out += any_ ? ",[" : "[";
      any_ = true;
      bool first = true;
      for (auto& column : columns_) {
        if (!first) out += ',';
        first = false;
        auto& vector = batch.columns[column.source];
        if (!column.labels) append_json(out, vector, row, Temporal::WithOffset, column.zone);
        else if (auto* label = label_of(column, vector, row)) append_json_text(out, *label);
        else out += "null";
      }
      out += ']';
    }
  }
  void end(std::string&) override {}

 private:
  bool any_ = false;
};

class Csv final : public Base {
 public:
  using Base::Base;
  void begin(std::string& out) override {
    if (options_.byte_order_mark) out += "\xEF\xBB\xBF";
    bool first = true;
    for (auto& column : columns_) {
      if (!first) out += ',';
      first = false;
      append_csv_text(out, column.title);
    }
    out += '\n';
  }
  void append(std::string& out, const rows::Batch& batch, std::size_t rows) override {
    for (std::size_t row = 0; row < rows; ++row) {
      bool first = true;
      for (auto& column : columns_) {
        if (!first) out += ',';
        first = false;
        auto& vector = batch.columns[column.source];
        if (column.labels) {
          if (auto* label = label_of(column, vector, row)) append_csv_text(out, *label);
        } else if (!vector.is_null(row)) {
          append_value(out, vector, row);
        }
      }
      out += '\n';
    }
  }
  void end(std::string&) override {}

 private:
  static void append_value(std::string& out, const Vector& column, std::size_t row) {
    switch (column.kind()) {
      case Kind::Integer: append_integer(out, column.integer(row)); break;
      case Kind::Real: {
        char buffer[32];
        out.append(buffer, static_cast<std::size_t>(std::to_chars(buffer, buffer + sizeof buffer, column.real(row)).ptr - buffer));
        break;
      }
      case Kind::Boolean: out += column.integer(row) ? "true" : "false"; break;
      // Digits, signs and letters only: nothing to quote.
      case Kind::Decimal:
      case Kind::Date:
      case Kind::Time:
      case Kind::Timestamp:
      case Kind::TimestampTz:
      case Kind::Bytes: out += column.text(row); break;
      case Kind::Text:
      case Kind::Json: append_csv_text(out, column.text(row)); break;
    }
  }
};

class JsonObjects final : public Base {
 public:
  JsonObjects(std::vector<OutputColumn> columns, EncoderOptions options) : Base(std::move(columns), options) {
    for (auto& column : columns_) {
      auto& key = keys_.emplace_back(keys_.empty() ? "{" : ",");
      append_json_text(key, column.title);
      key += ':';
    }
  }
  void begin(std::string& out) override { out += '['; }
  void append(std::string& out, const rows::Batch& batch, std::size_t rows) override {
    for (std::size_t row = 0; row < rows; ++row) {
      out += any_ ? ",\n" : "\n";
      any_ = true;
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        auto& column = columns_[i];
        out += keys_[i];
        auto& vector = batch.columns[column.source];
        if (!column.labels) append_json(out, vector, row, Temporal::AsIs);
        else if (auto* label = label_of(column, vector, row)) append_json_text(out, *label);
        else out += "null";
      }
      out += keys_.empty() ? "{}" : "}";
    }
  }
  void end(std::string& out) override { out += any_ ? "\n]\n" : "]\n"; }

 private:
  std::vector<std::string> keys_;
  bool any_ = false;
};

}  // namespace

std::unique_ptr<Encoder> api_rows(std::vector<OutputColumn> columns, EncoderOptions options) {
  return std::make_unique<ApiRows>(std::move(columns), options);
}
std::unique_ptr<Encoder> csv(std::vector<OutputColumn> columns, EncoderOptions options) {
  return std::make_unique<Csv>(std::move(columns), options);
}
std::unique_ptr<Encoder> json_objects(std::vector<OutputColumn> columns, EncoderOptions options) {
  return std::make_unique<JsonObjects>(std::move(columns), options);
}

}  // namespace basalt::stream
