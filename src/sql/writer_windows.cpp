// Functions over rows: running totals and offsets of aggregations, and the columns of `windows`.
#include "sql/writer.h"

namespace basalt::sql {

using query::Expression;
using query::Function;

void SqlWriter::window(const Expression& e) {
  auto& a = e.arguments;
  auto function = e.call()->function;
  std::string frame;
  if (function == Function::Offset) {
    auto n = json::as_integer(a[1].literal()->value).value_or(-1);
    out_ += n < 0 ? "LAG(" : "LEAD(";
    expression(a[0]);
    out_ += ", " + std::to_string(n < 0 ? -n : n) + ")";
  } else {
    if (function == Function::CumulativeCount) out_ += "CAST(";
    out_ += "SUM(";
    Expression inner{query::Call{function == Function::CumulativeSum ? Function::Sum : Function::Count}, a};
    expression(inner);
    out_ += ')';
    frame = "ROWS UNBOUNDED PRECEDING";
  }
  out_ += " OVER (";
  auto* stage = stage_;
  bool space = false;
  if (stage && !stage->window_partition.empty()) {
    out_ += "PARTITION BY ";
    for (std::size_t i = 0; i < stage->window_partition.size(); ++i) {
      if (i) out_ += ", ";
      expression(stage->window_partition[i]);
    }
    space = true;
  }
  if (stage && !stage->window_order.empty()) {
    out_ += space ? " ORDER BY " : "ORDER BY ";
    order(stage->window_order);
    space = true;
  }
  if (!frame.empty()) out_ += (space ? " " : "") + frame;
  out_ += ')';
  if (function == Function::CumulativeCount) out_ += " AS " + dialect_.integer_type + ")";
}

// Of the `windows` of a stage: arguments, then what it starts anew by, then what orders it.
void SqlWriter::over_rows(const Expression& e) {
  auto& a = e.arguments;
  auto& called = *e.call();
  std::size_t own = a.size() - called.partitions - called.directions.size();
  auto number = [&](std::size_t i) { return std::to_string(json::as_integer(a[i].literal()->value).value_or(1)); };
  auto plain = [&](const char* name) {
    out_ += name;
    out_ += '(';
    if (own > 0) expression(a[0]);
    else if (called.function == Function::RunningCount) out_ += '*';
    out_ += ')';
  };
  // Some engines want the number in another type for this.
  auto average = [&] { from_template(dialect_.functions.at(Function::Average), {query::Call{Function::Average}, {a[0]}}, Binds::Loosest); };
  std::string frame;
  const char* to_here = "ROWS UNBOUNDED PRECEDING";
  bool share = called.function == Function::ShareOfTotal;
  switch (called.function) {
    case Function::RowNumber: out_ += "ROW_NUMBER()"; break;
    case Function::Rank: out_ += "RANK()"; break;
    case Function::DenseRank: out_ += "DENSE_RANK()"; break;
    case Function::Tile: out_ += "NTILE(" + number(0) + ")"; break;
    case Function::Lag:
    case Function::Lead:
      out_ += called.function == Function::Lag ? "LAG(" : "LEAD(";
      expression(a[0]);
      out_ += ", " + number(1) + ")";
      break;
    case Function::FirstValue: plain("FIRST_VALUE"); break;
    // To the end, not only to the current row, which is what engines do by themselves.
    case Function::LastValue: plain("LAST_VALUE"); frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"; break;
    case Function::RunningSum: plain("SUM"); frame = to_here; break;
    case Function::RunningCount: plain("COUNT"); frame = to_here; break;
    case Function::RunningAverage: average(); frame = to_here; break;
    case Function::RunningMin: plain("MIN"); frame = to_here; break;
    case Function::RunningMax: plain("MAX"); frame = to_here; break;
    case Function::MovingSum:
    case Function::MovingAverage:
      if (called.function == Function::MovingSum) plain("SUM");
      else average();
      frame = "ROWS BETWEEN " + std::to_string(json::as_integer(a[1].literal()->value).value_or(1) - 1) + " PRECEDING AND CURRENT ROW";
      break;
    case Function::ShareOfTotal:
      out_ += "CAST(";
      expression(a[0]);
      out_ += " AS " + dialect_.float_type + ") / NULLIF(";
      plain("SUM");
      break;
    default: plain("SUM");
  }
  out_ += " OVER (";
  for (std::size_t i = 0; i < called.partitions; ++i) {
    out_ += i ? ", " : "PARTITION BY ";
    expression(a[own + i]);
  }
  if (!called.directions.empty()) {
    std::vector<query::ResolvedOrdering> orders;
    for (std::size_t i = 0; i < called.directions.size(); ++i) orders.push_back({called.directions[i], std::nullopt, a[own + called.partitions + i]});
    out_ += called.partitions ? " ORDER BY " : "ORDER BY ";
    order(orders);
  }
  if (!frame.empty()) out_ += (called.partitions || !called.directions.empty() ? " " : "") + frame;
  out_ += ')';
  if (share) out_ += ", 0)";
}

}  // namespace basalt::sql
