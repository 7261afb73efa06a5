#include "rows/batch.h"

#include "base/failure.h"

namespace basalt::rows {

void Vector::clear() {
  constexpr std::size_t keep_at_most = 1 << 20;
  present_.clear();
  numbers_.clear();
  reals_.clear();
  offsets_.clear();
  if (text_.capacity() > keep_at_most) std::string().swap(text_);
  else text_.clear();
  if (kind_ != Kind::Integer && kind_ != Kind::Boolean && kind_ != Kind::Real) offsets_.push_back(0);
}

void Vector::truncate(std::size_t rows) {
  if (rows >= size()) return;
  present_.resize(rows);
  if (kind_ == Kind::Integer || kind_ == Kind::Boolean) numbers_.resize(rows);
  else if (kind_ == Kind::Real) reals_.resize(rows);
  else { offsets_.resize(rows + 1); text_.resize(offsets_.back()); }
}

std::size_t Batch::bytes() const {
  std::size_t total = 0;
  for (auto& column : columns) total += column.bytes();
  return total;
}

void refuse_giant_value(const std::string& column, std::size_t bytes) {
  throw Failure(FailureKind::TooLarge, "A value of column \"" + column + "\" has " + std::to_string(bytes >> 20) +
                                           " MB; values of up to " + std::to_string(value_limit >> 20) + " MB can be shown.");
}

void prepare(Batch& batch, const std::vector<Column>& columns) {
  batch.row_count = 0;
  bool fits = batch.columns.size() == columns.size();
  for (std::size_t i = 0; fits && i < columns.size(); ++i) fits = batch.columns[i].kind() == columns[i].kind;
  if (fits) {
    for (auto& column : batch.columns) column.clear();
    return;
  }
  batch.columns.clear();
  for (auto& column : columns) batch.columns.emplace_back(column.kind);
}

}  // namespace basalt::rows
