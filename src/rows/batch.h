// Typed columnar batches: what a driver hands back. Pulled, bounded, never all in memory.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace basalt::rows {

// How values of a column lie in memory and how they are written.
enum class Kind : std::uint8_t {
  Integer,      // std::int64_t
  Real,         // double
  Decimal,      // text as the engine writes it ("12.50"); written as a JSON number
  Boolean,      // std::int64_t 0 or 1
  Text,         // UTF-8
  Date,         // text "2024-05-17"
  Time,         // text "08:30:00[.123]"
  Timestamp,    // text "2024-05-17T08:30:00[.123]", without zone
  TimestampTz,  // text "2024-05-17T08:30:00[.123]Z" or with "+02:00": an instant, already in the results' time zone
  Bytes,        // text: hexadecimal, "\x…" left out
  Json,         // text: a JSON document, written as text
};

struct Column {
  std::string name;           // as the engine names it
  Kind kind = Kind::Text;
  std::string database_type;  // the engine's own type name, e.g. "int4"
  std::string base_type;      // API type name, e.g. "type/Integer"
  bool operator==(const Column&) const = default;
};

// One column of a batch. Fixed-size kinds use `numbers`/`reals`; the others `offsets` into `text`.
class Vector {
 public:
  explicit Vector(Kind kind) : kind_(kind) { clear(); }

  Kind kind() const { return kind_; }
  std::size_t size() const { return present_.size(); }
  bool is_null(std::size_t row) const { return !present_[row]; }
  std::int64_t integer(std::size_t row) const { return numbers_[row]; }
  double real(std::size_t row) const { return reals_[row]; }
  std::string_view text(std::size_t row) const {
    return std::string_view(text_).substr(offsets_[row], offsets_[row + 1] - offsets_[row]);
  }

  void append_null() {
    present_.push_back(0);
    if (kind_ == Kind::Integer || kind_ == Kind::Boolean) numbers_.push_back(0);
    else if (kind_ == Kind::Real) reals_.push_back(0);
    else offsets_.push_back(static_cast<std::uint32_t>(text_.size()));
  }
  void append_integer(std::int64_t v) { present_.push_back(1); numbers_.push_back(v); }  // Integer, Boolean
  void append_real(double v) { present_.push_back(1); reals_.push_back(v); }             // Real
  void append_text(std::string_view v) {                                                 // every other kind
    present_.push_back(1);
    text_.append(v);
    offsets_.push_back(static_cast<std::uint32_t>(text_.size()));
  }
  std::size_t bytes() const { return text_.size() + present_.size() + 8 * (numbers_.size() + reals_.size()); }
  // Keeps the memory for the next batch; a batch that held a giant value gives it back.
  void clear();
  // Drops all rows from `rows` on.
  void truncate(std::size_t rows);

 private:
  Kind kind_;
  std::vector<std::uint8_t> present_;
  std::vector<std::int64_t> numbers_;
  std::vector<double> reals_;
  std::vector<std::uint32_t> offsets_;  // size() + 1 entries for text kinds
  std::string text_;
};

// Rows of one pull: at most about 1,000 rows or 256 kB, whichever comes first (one row may be larger: up to 64 MB, above
// that the driver fails with a sentence).
struct Batch {
  std::vector<Vector> columns;
  std::size_t rows() const { return columns.empty() ? row_count : columns[0].size(); }
  std::size_t row_count = 0;  // used only by results without columns
  std::size_t bytes() const;
};

// A batch is full, and handed on, at either of these.
inline constexpr std::size_t batch_rows = 1000, batch_bytes = 256 << 10;
// One value may be this large; a driver refuses larger ones with refuse_giant_value.
inline constexpr std::size_t value_limit = 64 << 20;
[[noreturn]] void refuse_giant_value(const std::string& column, std::size_t bytes);

// Empties the batch and makes its vectors fit the columns; memory is kept where the kinds did not change.
void prepare(Batch& batch, const std::vector<Column>& columns);

}  // namespace basalt::rows
