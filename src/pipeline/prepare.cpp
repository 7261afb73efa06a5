#include "pipeline/prepare.h"

#include "base/failure.h"
#include "base/time.h"
#include "pipeline/rights.h"
#include "query/parse.h"
#include "query/resolve.h"
#include "query/uses.h"

namespace basalt::pipeline {
namespace {

// Is the body a query by its outline? What is wrong inside is said by the parser, in the answer's envelope.
void require_outline(const json::value& query) {
  auto* object = query.if_object();
  if (!object) throw bad_field("query", "value must be a query: a map with `database` and `type`.");
  if (!json::integer(query, "database")) throw bad_field("database", "value must be an integer: the id of the database to ask.");
  bool stages = json::sub_array(query, "stages") != nullptr;
  auto type = json::text(query, "type").value_or("");
  if (!stages && type != "query" && type != "native") throw bad_field("type", "value must be \"query\" or \"native\".");
  if (!stages && type == "query" && !json::sub_object(query, "query")) throw bad_field("query", "value must be a map.");
  if (!stages && type == "native" && !json::sub_object(query, "native")) throw bad_field("native", "value must be a map.");
}

}  // namespace

Prepared prepare(Environment& environment, const permissions::Rights& rights, const QueryRequest& request, Ask ask, sql::CompileOptions options) {
  require_outline(request.dataset_query);
  auto parsed = query::parse_query(request.dataset_query);
  auto catalog = environment.catalog();
  auto uses = query::uses(parsed, *catalog, request.parameters);
  if (ask != Ask::Nothing) {
    require_rights(uses, request.card_grants ? request.card : std::nullopt, *catalog, rights);
    if (ask == Ask::NativeRights) rights.require_native(uses.database);
  }
  auto* database = catalog->database(uses.database);
  if (!database) throw Failure(FailureKind::NotFound, "The database of this query is gone.");

  auto settings = environment.settings();
  query::ResolveOptions wanted;
  wanted.parameters = request.parameters;
  wanted.now = system_clock().now();
  wanted.time_zone = settings.report_time_zone;
  wanted.start_of_week = settings.start_of_week;
  wanted.breakout_bins = settings.breakout_bins;
  wanted.breakout_bin_width = settings.breakout_bin_width;
  wanted.max_results = request.constraints.max_results;
  wanted.max_results_bare = std::min(request.constraints.max_results_bare, request.constraints.max_results);
  wanted.card_metadata = request.card_metadata;

  Prepared prepared;
  prepared.database = uses.database;
  prepared.engine = database->engine;
  prepared.deadline = settings.query_timeout;
  prepared.dialect = sql::find_dialect(database->engine);
  if (!prepared.dialect) throw Failure(FailureKind::Unsupported, "There is no driver for \"" + database->engine + "\".");
  prepared.integers_as_text = json::boolean(parsed.middleware, "js-int-to-string?").value_or(request.integers_as_text);
  wanted.time_zones = prepared.dialect->supports.time_zones;
  auto resolved = query::resolve(std::move(parsed), *catalog, wanted);
  auto compiled = sql::compile(resolved, *prepared.dialect, options);
  prepared.statement = std::move(compiled.statement);
  prepared.columns = std::move(compiled.columns);
  prepared.columns_known = compiled.columns_known;
  prepared.row_cap = resolved.row_cap;
  prepared.time_zone = prepared.dialect->supports.time_zones ? resolved.time_zone : "UTC";
  return prepared;
}

std::vector<query::ResultColumn> native_columns(const std::vector<rows::Column>& columns, const json::value& card_metadata) {
  std::vector<query::ResultColumn> result;
  for (auto& column : columns) result.push_back(query::native_column(column.name, column.base_type, column.database_type));
  query::make_names_unique(result);
  auto* stored = card_metadata.if_array();
  if (!stored) return result;
  for (auto& column : result) {
    for (auto& entry : *stored) {
      if (json::text(entry, "name") != column.name) continue;
      if (auto title = json::text(entry, "display_name")) column.display_name = *title;
      if (auto type = json::text(entry, "semantic_type")) column.semantic_type = *type;
      if (auto text = json::text(entry, "description")) column.description = *text;
      if (auto type = json::text(entry, "effective_type"); type && column.base_type == "type/*") column.effective_type = *type;
      if (auto id = json::integer(entry, "id")) column.id = FieldId(*id);
      if (auto id = json::integer(entry, "table_id")) column.table = TableId(*id);
      if (auto id = json::integer(entry, "fk_target_field_id")) column.fk_target = FieldId(*id);
      if (auto type = json::text(entry, "visibility_type")) column.visibility_type = *type;
      if (auto* settings = json::find(entry, "settings")) column.settings = *settings;
      break;
    }
  }
  return result;
}

void refine(std::vector<query::ResultColumn>& columns, const std::vector<rows::Column>& found) {
  for (std::size_t i = 0; i < columns.size() && i < found.size(); ++i) {
    auto& column = columns[i];
    if (column.labels_of) break;  // labels stand after the columns of the SQL
    if (column.base_type == "type/*" && !found[i].base_type.empty()) {
      column.base_type = found[i].base_type;
      if (column.effective_type == "type/*") column.effective_type = found[i].base_type;
    }
    if (column.database_type.empty()) column.database_type = found[i].database_type;
  }
}

json::value to_json(const std::vector<sql::BoundValue>& values) {
  if (values.empty()) return nullptr;
  json::array out;
  for (auto& value : values) {
    std::visit([&](auto& v) {
      using T = std::decay_t<decltype(v)>;
      if constexpr (std::is_same_v<T, sql::NullValue>) out.push_back(nullptr);
      else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::int64_t> || std::is_same_v<T, double>) out.push_back(v);
      else if constexpr (std::is_same_v<T, std::string>) out.emplace_back(v);
      else out.emplace_back(v.text);
    }, value);
  }
  return out;
}

}  // namespace basalt::pipeline
