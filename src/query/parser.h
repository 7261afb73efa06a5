// Inside of parse_query(): JSON in either form of the query language to the tree. parse.cpp reads stages, parse_native.cpp SQL with
// its tags, parse_clauses.cpp clauses. One Parser reads one query on one thread.
#pragma once
#include <string>
#include <unordered_map>

#include "query/failures.h"
#include "query/query.h"

namespace basalt::query {

inline constexpr int deepest = 240;          // two for each nested clause or stage
inline constexpr int most_clauses = 20'000;  // in one query
inline constexpr std::size_t most_appended = 100;

// "Source_Table", ":source-table", "SOURCE-TABLE" -> "source-table".
inline std::string normal(std::string_view name) {
  if (!name.empty() && name.front() == ':') name.remove_prefix(1);
  std::string out(name);
  for (auto& c : out) {
    if (c == '_') c = '-';
    else if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Value of a key in whichever spelling; null counts as absent.
inline const json::value* find_key(const json::object& o, std::string_view key) {
  auto* exact = o.if_contains(key);
  if (exact) return exact->is_null() ? nullptr : exact;
  for (auto& entry : o)
    if (entry.key().size() >= key.size() && entry.key().size() <= key.size() + 1 && normal(entry.key()) == key)
      return entry.value().is_null() ? nullptr : &entry.value();
  return nullptr;
}
inline std::string text_of(const json::object& o, std::string_view key) {
  auto* v = find_key(o, key);
  return v && v->is_string() ? std::string(v->get_string()) : std::string();
}

class Parser {
 public:
  explicit Parser(std::string start) : path_(std::move(start)) {}

  Query query(const json::value& v);
  Expression expression(const json::value& v) { return clause(v); }

 private:
  // Remembers where we are for the sentences, and how deep.
  struct At {
    Parser& parser;
    std::size_t length;
    At(Parser& p, std::string_view step) : parser(p), length(p.path_.size()) {
      if (!p.path_.empty()) p.path_ += '.';
      p.path_ += step;
      p.enter();
    }
    At(Parser& p, std::size_t index) : parser(p), length(p.path_.size()) {
      p.path_ += '[';
      p.path_ += std::to_string(index);
      p.path_ += ']';
      p.enter();
    }
    ~At() { parser.path_.resize(length); --parser.depth_; }
  };
  void enter() {
    // Counted before the check: the destructor of a half-built At does not run.
    if (depth_ + 1 > deepest) fail("The query is nested too deeply.");
    ++depth_;
    if (++clauses_ > most_clauses) fail("The query has too many clauses.");
  }

  [[noreturn]] void fail(std::string sentence) const { invalid_query(std::move(sentence), path_); }

  const json::object* object_at(const json::object& o, std::string_view key) {
    auto* v = find_key(o, key);
    return v ? v->if_object() : nullptr;
  }
  const json::array& list(const json::value& v, const char* what) {
    if (!v.is_array()) fail(std::string(what) + " has to be a list.");
    return v.get_array();
  }
  std::string text(const json::value& v, const char* what) {
    if (!v.is_string()) fail(std::string(what) + " has to be text.");
    return std::string(v.get_string());
  }

  // ---- stages

  std::vector<Stage> stage_list(const json::value& v);
  // MBQL 4: the innermost query comes first in the result.
  std::vector<Stage> inner_query(const json::value& v);
  Source table_source(const json::value& v);
  Stage stage(const json::object& o);
  void add_filter(std::vector<Expression>& filters, const json::value& v);
  static std::optional<Expression> conjunction(std::vector<Expression> filters);
  std::vector<StoredColumn> stored_columns(const json::value& v);
  // `stages`, or `source-query`, `source-table`, `source-card`: what is joined or appended.
  std::vector<Stage> source_stages(const json::object& o, const std::string& what);
  Comparison comparison(const json::value& v);
  // Another query whose rows come below: its stages, or a source alone, as a join has them.
  Append appended(const json::value& v);
  Join join(const json::value& v);
  std::vector<NamedExpression> expressions(const json::value& v);
  bool is_clause(const json::value& v);
  std::vector<Expression> aggregations(const json::value& v);
  std::vector<Expression> references(const json::value& v, const char* what);
  // A clause, or the bare id of a field.
  Expression reference(const json::value& v);
  Ordering ordering(const json::value& v);

  // ---- native

  NativeQuery native_query(const json::value& v);
  // The SQL with its tags, and what else of a native query's own stands beside it.
  NativeQuery native_beside(const json::object& o, std::string sql);
  std::vector<TemplateTag> template_tags(const json::value* v);
  TemplateTag template_tag(const json::value& v, std::string key);

  // ---- clauses

  Expression clause(const json::value& v);
  struct Parts {
    std::vector<const json::value*> arguments;
    const json::object* options = nullptr;
    std::size_t first = 1;
  };

  void count_arguments(const std::string& name, const Parts& parts, std::size_t fewest, std::size_t most);
  TemporalUnit unit(const json::value& v);
  TemporalUnit truncating_unit(const json::value& v);
  Binning binning(const json::value& v);
  template <class Reference>
  void read_bucketing(Reference& reference, const json::object& options) {
    if (auto* v = find_key(options, "temporal-unit")) reference.unit = unit(*v);
    if (auto* v = find_key(options, "binning")) reference.binning = binning(*v);
  }

  void read_field_options(FieldReference& field, const json::object& options);
  // The inner part of an old wrapper: a field in any spelling.
  FieldReference inner_field(const json::value& v);
  Expression field(const Parts& parts);
  std::optional<Expression> old_reference(const std::string& name, const Parts& parts);
  Expression named_clause(const std::string& name, const Parts& parts);
  void read_call_options(Call& call, const json::object& options);
  Expression argument(const Parts& parts, std::size_t i);
  void extract_mode(Call& call, const json::value& v);
  Expression named_aggregation(const std::string& name, const Parts& parts);
  Expression case_clause(Call call, const Parts& parts);
  // Whole numbers of units; "current", "last" and "next" for time-interval.
  Expression count_of_units(const Parts& parts, std::size_t i);
  Expression call_clause(Call call, const FunctionInfo& function, const Parts& parts);
  // Its own arguments, then those of `partition-by`, then those of `order-by`.
  Expression window_clause(Call call, const FunctionInfo& function, const Parts& parts);
  Expression field_argument(const Parts& parts);
  // In very old queries a bare id stands for a field: ["sum", 12], ["is-null", 12], ["=", 12, "abc"].
  static bool bare_id_means_field(const FunctionInfo& function, const Parts& parts);
  std::string path_;
  int depth_ = 0, clauses_ = 0;
  std::unordered_map<std::string, std::size_t> uuids_;
};

}  // namespace basalt::query
