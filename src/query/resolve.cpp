#include "query/resolve.h"

#include "query/passes/passes.h"
#include "query/resolver.h"

namespace basalt::query {
namespace {

bool filters_columns(const json::array& parameters) {
  for (auto& parameter : parameters)
    if (json::find(parameter, "target")) return true;
  return false;
}

// A model's author has named its columns; that holds also when it is run by itself.
void rename_by_metadata(std::vector<ResultColumn>& columns, const json::value& metadata) {
  auto* stored = metadata.if_array();
  if (!stored) return;
  for (auto& item : *stored) {
    auto name = json::text(item, "name");
    for (auto& column : columns) {
      if (!name || column.name != *name) continue;
      if (auto title = json::text(item, "display_name")) column.display_name = *title;
      if (auto* type = item.get_object().if_contains("semantic_type")) column.semantic_type = type->is_string() ? std::optional(std::string(type->get_string())) : std::nullopt;
      if (auto description = json::text(item, "description")) column.description = description;
      if (auto* settings = json::find(item, "settings")) column.settings = *settings;
    }
  }
}

}  // namespace

ResolvedQuery resolve(Query query, Catalog& catalog, const ResolveOptions& given) {
  ResolveOptions options = given;
  if (auto zone = json::text(query.settings, "report-timezone")) {
    if (!Zone::find(*zone)) invalid_query("\"" + zone->substr(0, 60) + "\" is no time zone; names look like \"Europe/Berlin\".", "settings.report-timezone");
    options.time_zone = *zone;
  }
  if (json::boolean(query.middleware, "disable-remaps?").value_or(false)) options.remaps = false;
  if (json::boolean(query.middleware, "disable-max-results?").value_or(false)) options.max_results = options.max_results_bare = 0;
  PassContext context{catalog, options};
  for (auto& pass : all_passes()) query = pass.rewrite(std::move(query), context);

  auto* database = catalog.database(query.database);
  if (!database) throw Failure(FailureKind::NotFound, "Database " + std::to_string(query.database.value) + " does not exist.").with_error_type("invalid-query");
  std::string zone_name = !options.time_zone.empty() ? options.time_zone : database->time_zone.value_or("");
  if (!options.time_zones || !Zone::find(zone_name)) zone_name.clear();
  options.time_zone = zone_name;

  ResolvedQuery result;
  result.database = query.database;
  result.time_zone = zone_name.empty() ? "UTC" : zone_name;
  result.start_of_week = options.start_of_week;
  result.row_cap = row_cap(query, options);

  Resolver resolver(catalog, options, query.database, zone_name);
  json::array all = query.parameters;
  for (auto& parameter : options.parameters) all.push_back(parameter);
  if (filters_columns(all)) resolver.use_parameters(std::move(all));

  auto& last = query.stages.back();
  if (options.pivot && query.is_native()) invalid_query("A pivot table is made from a structured question, not from SQL.");
  if (query.is_native() && !last.filter) {
    auto stage = std::make_shared<ResolvedStage>();
    std::vector<CardId> cards;
    stage->source = resolver.native_text(std::get<NativeSource>(last.source).query, resolver.parameters(), cards);
    stage->verbatim = true;
    result.stage = std::move(stage);
    result.native = true;
    result.columns_known = false;
    return result;
  }
  auto resolved = options.pivot ? resolver.pivot(query.stages, *options.pivot) : resolver.stages(query.stages, query.stages.size(), Resolver::Position::Last, "query");
  result.stage = std::move(resolved.stage);
  result.columns = std::move(resolved.columns);
  result.columns_known = !result.stage->all_columns;
  if (!result.columns_known) result.columns.clear();
  // Labels by value: a column of text after all others, filled in while the rows are written.
  if (options.remaps) {
    for (std::size_t i = 0, count = result.columns.size(); i < count; ++i) {
      auto& column = result.columns[i];
      if (!column.id || column.unit || column.binning || column.source == "aggregation") continue;
      auto* field = catalog.field(*column.id);
      if (!field || field->remap_values.empty()) continue;
      ResultColumn label;
      label.name = column.name + "_label";
      label.display_name = column.display_name;
      label.base_type = label.effective_type = "type/Text";
      label.remapped_from = column.name;
      label.source = column.source;
      label.labels_of = i;
      label.labels = field->remap_values;
      label.field_ref = json::array{"field", label.name, json::object{{"base-type", "type/Text"}}};
      result.columns.push_back(std::move(label));
    }
    make_names_unique(result.columns);
    for (auto& column : result.columns)
      if (column.labels_of) result.columns[*column.labels_of].remapped_to = column.name;
  }
  rename_by_metadata(result.columns, options.card_metadata);
  return result;
}

}  // namespace basalt::query
