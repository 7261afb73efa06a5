// ["segment", id] becomes the saved filter.
#include "query/failures.h"
#include "query/parse.h"
#include "query/passes/passes.h"
#include "query/passes/saved_clauses.h"

namespace basalt::query {

SavedClause saved_clause(const Expression& reference, Catalog& catalog) {
  bool filter = reference.is(Function::Segment);
  auto id = json::as_integer(reference.arguments[0].literal()->value).value_or(0);
  auto shown = (filter ? "Segment " : "Measure ") + std::to_string(id);
  auto saved = filter ? catalog.segment(id) : catalog.measure(id);
  auto* definition = json::find(saved, "definition");
  if (!definition) throw Failure(FailureKind::NotFound, shown + " does not exist.").with_error_type("invalid-query");
  // A definition is an inner query, or a whole one.
  json::object whole;
  if (json::find(*definition, "stages") || json::find(*definition, "query")) whole = definition->get_object();
  else whole = {{"type", "query"}, {"query", *definition}};
  whole["database"] = 1;
  auto query = parse_query(whole);
  SavedClause result{json::text(saved, "name").value_or(shown), std::move(query.stages.back())};
  if (filter && !result.stage.filter) invalid_query(shown + " has no filter.");
  if (!filter && result.stage.aggregations.size() != 1) invalid_query(shown + " needs exactly one aggregation.");
  return result;
}

namespace {

void expand(Expression& e, const Stage& stage, const PassContext& context, int depth) {
  for (auto& argument : e.arguments) expand(argument, stage, context, depth);
  if (!e.is(Function::Segment)) return;
  if (depth > deepest_saved_clause) invalid_query("Segments are built on segments too deeply.");
  auto saved = saved_clause(e, context.catalog);
  auto* own = std::get_if<TableSource>(&stage.source);
  auto* its = std::get_if<TableSource>(&saved.stage.source);
  if (own && its && own->table != its->table && stage.joins.empty()) invalid_query("The segment \"" + saved.name + "\" is about another table.");
  e = std::move(*saved.stage.filter);
  expand(e, stage, context, depth + 1);
}

}  // namespace

Query segments(Query query, const PassContext& context) {
  each_stages(query.stages, [&](std::vector<Stage>& stages) {
    for (auto& stage : stages) each_clause(stage, [&](Expression& e) {
      if (e.is(Function::Segment)) expand(e, stage, context, 0);
    });
  });
  return query;
}

}  // namespace basalt::query
