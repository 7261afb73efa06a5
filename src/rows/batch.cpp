#include "rows/batch.h"

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

}  // namespace basalt::rows
