// Writes one query in one dialect. Inside of compile().
#pragma once
#include <string>
#include <vector>

#include "query/resolve.h"
#include "query/types.h"
#include "sql/compile.h"
#include "sql/dialect.h"

namespace basalt::sql {

// How tightly an expression binds; one that binds looser than its place asks for gets parentheses.
enum class Binds : int { Loosest, Or, And, Not, Comparison, Concat, Sum, Product, Tightest };

class SqlWriter {
 public:
  SqlWriter(const query::ResolvedQuery& query, const Dialect& dialect, CompileOptions options);
  Statement write();

 private:
  void stage(const query::ResolvedStage& stage);
  void source(const query::ResolvedSource& source, const std::string& alias, bool bare_alias);
  void native(const query::NativeText& native);
  void join(const query::ResolvedJoin& join);
  void order(const std::vector<query::ResolvedOrdering>& orders);
  bool never_null(const query::Expression& e) const;  // in the stage that is being written
  void line(const char* keyword);
  void item(bool first);  // between the entries of a list: a comma, in the pretty layout a line of its own each

  void expression(const query::Expression& e, Binds place = Binds::Loosest);
  void literal(const query::Literal& literal, std::string_view beside);
  void column(const query::Column& column);
  void call(const query::Expression& e, Binds place);
  void comparison(const query::Expression& e);
  void operand(const query::Expression& e, const query::Expression& beside, bool full_time);
  void text_search(const query::Expression& e, Binds place);
  void one_search(query::Function function, const query::Expression& subject, const query::Expression& needle, bool case_sensitive);
  void arithmetic(const query::Expression& e, Binds place);
  void aggregation(const query::Expression& e);
  void window(const query::Expression& e);
  void over_rows(const query::Expression& e);
  void temporal(const query::Expression& e, Binds place);
  void from_template(std::string_view text, const query::Expression& e, Binds place, int first_day = -1);
  void case_when(const query::Expression& e);
  [[noreturn]] void cannot(const std::string& what) const;

  template <class Work> void bracketed(bool brackets, Work work) {
    if (brackets) out_ += '(';
    work();
    if (brackets) out_ += ')';
  }
  // Appends the placeholder of this value; the same value for the same use gets the same number, so that an expression
  // written twice (in the list and in GROUP BY) stays the same expression for the engine.
  void bind(BoundValue value, std::string_view use);

  const query::ResolvedQuery& query_;
  const Dialect& dialect_;
  CompileOptions options_;
  int first_day_;
  std::string out_;
  std::vector<BoundValue> values_;
  std::vector<std::string> uses_;
  const query::ResolvedStage* stage_ = nullptr;
  int indent_ = 0;
};

}  // namespace basalt::sql
