// ["segment", id] becomes the saved filter.
#include "query/failures.h"
#include "query/parse.h"
#include "query/passes/passes.h"

namespace basalt::query {
namespace {

constexpr int deepest = 10;

void expand(Expression& e, const PassContext& context, int depth) {
  for (auto& argument : e.arguments) expand(argument, context, depth);
  if (!e.is(Function::Segment)) return;
  auto id = json::as_integer(e.arguments[0].literal()->value).value_or(0);
  auto definition = context.catalog.segment(id);
  if (definition.is_null()) throw Failure(FailureKind::NotFound, "Segment " + std::to_string(id) + " does not exist.").with_error_type("invalid-query");
  if (depth > deepest) invalid_query("Segments are built on segments too deeply.");
  // A definition is an inner query, or a whole one.
  json::value wrapped = json::find(definition, "stages") || json::find(definition, "query") ? definition : json::value(json::object{{"database", 1}, {"type", "query"}, {"query", definition}});
  auto query = parse_query(wrapped);
  if (!query.stages.back().filter) invalid_query("Segment " + std::to_string(id) + " has no filter.");
  e = std::move(*query.stages.back().filter);
  expand(e, context, depth + 1);
}

}  // namespace

Query segments(Query query, const PassContext& context) {
  each_clause(query, [&](Expression& e) {
    if (e.is(Function::Segment)) expand(e, context, 0);
  });
  return query;
}

}  // namespace basalt::query
