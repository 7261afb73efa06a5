#include "pipeline/prepare.h"

#include "base/failure.h"
#include "base/time.h"
#include "pipeline/envelope.h"
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

void require(const query::Uses& uses, const QueryRequest& request, Ask ask, query::Catalog& catalog, const permissions::Rights& rights) {
  if (ask == Ask::Nothing) return;
  require_rights(uses, request.card_grants ? request.card : std::nullopt, catalog, rights);
  if (ask == Ask::NativeRights) rights.require_native(uses.database);
}

// `require_rights` is called with what the query uses, before more is done with it.
std::shared_ptr<const CompiledQuery> compile(const QueryRequest& request, const std::function<void(const query::Uses&)>& require_rights, const Settings& settings,
                                             query::Catalog& catalog, bool& asked_for_now, const sql::CompileOptions& options) {
  auto parsed = query::parse_query(request.dataset_query);
  auto compiled = std::make_shared<CompiledQuery>();
  compiled->uses = query::uses(parsed, catalog, request.parameters);
  require_rights(compiled->uses);
  auto* database = catalog.database(compiled->uses.database);
  if (!database) throw Failure(FailureKind::NotFound, "The database of this query is gone.");

  query::ResolveOptions wanted;
  wanted.parameters = request.parameters;
  wanted.now = system_clock().now();
  wanted.now.tell(asked_for_now);
  wanted.time_zone = settings.report_time_zone;
  wanted.start_of_week = settings.start_of_week;
  wanted.breakout_bins = settings.breakout_bins;
  wanted.breakout_bin_width = settings.breakout_bin_width;
  wanted.max_results = request.constraints.max_results;
  wanted.max_results_bare = std::min(request.constraints.max_results_bare, request.constraints.max_results);
  wanted.card_metadata = request.card_metadata;
  wanted.pivot = request.pivot;

  compiled->engine = database->engine;
  compiled->dialect = sql::find_dialect(database->engine);
  if (!compiled->dialect) throw Failure(FailureKind::Unsupported, "There is no driver for \"" + database->engine + "\".");
  compiled->integers_as_text = json::boolean(parsed.middleware, "js-int-to-string?").value_or(request.integers_as_text);
  wanted.time_zones = compiled->dialect->supports.time_zones;
  auto resolved = query::resolve(std::move(parsed), catalog, wanted);
  auto sql = sql::compile(resolved, *compiled->dialect, options);
  compiled->statement = std::move(sql.statement);
  compiled->columns = std::move(sql.columns);
  compiled->columns_known = sql.columns_known;
  compiled->row_cap = resolved.row_cap;
  compiled->time_zone = compiled->dialect->supports.time_zones ? resolved.time_zone : "UTC";
  return compiled;
}

}  // namespace

Prepared prepare(Environment& environment, const permissions::Rights& rights, const QueryRequest& request, Ask ask, sql::CompileOptions options) {
  require_outline(request.dataset_query);
  auto catalog = environment.catalog();
  auto settings = environment.settings();
  bool as_usual = options.layout == sql::CompileOptions::Layout::OneLine;
  auto* cache = as_usual ? environment.compiled() : nullptr;
  std::string key;
  if (cache) {
    key = compile_key(request, settings);
    if (auto kept = cache->find(key, *catalog)) {
      require(kept->uses, request, ask, *catalog, rights);
      return {std::move(kept), settings.query_timeout};
    }
  }
  // What the rights look up is looked up at each run and is no part of what is kept.
  auto require_now = [&](const query::Uses& uses) { require(uses, request, ask, *catalog, rights); };
  RecordingCatalog recorded(*catalog);
  bool asked_for_now = false;
  auto compiled = compile(request, require_now, settings, recorded, asked_for_now, options);
  if (cache && !asked_for_now) cache->keep(std::move(key), compiled, recorded, *catalog);
  return {std::move(compiled), settings.query_timeout};
}

std::shared_ptr<const Shown> show_columns(const CompiledQuery& compiled, const std::vector<rows::Column>& found, const json::value& card_metadata) {
  if (auto shown = compiled.shown(); shown && shown->found == found) return shown;
  auto shown = std::make_shared<Shown>();
  shown->found = found;
  if (compiled.columns_known) {
    shown->columns = compiled.columns;
    refine(shown->columns, found);
    std::size_t in_sql = 0;
    for (auto& column : shown->columns) in_sql += !column.labels_of;
    if (in_sql != found.size())
      throw Failure(FailureKind::Bug, "The database answered with " + std::to_string(found.size()) + " columns where " + std::to_string(in_sql) + " were asked for.");
  } else {
    shown->columns = native_columns(found, card_metadata);
  }
  write_data_end(shown->data_end, shown->columns, compiled.statement, compiled.time_zone);
  compiled.keep_shown(shown);
  return shown;
}

std::vector<query::ResultColumn> native_columns(const std::vector<rows::Column>& columns, const json::value& card_metadata) {
  std::vector<query::ResultColumn> result;
  result.reserve(columns.size());
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
