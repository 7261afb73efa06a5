#include "features/content/sample_content.h"

#include "base/log.h"
#include "base/random.h"
#include "base/version.h"
#include "features/cards/cards.h"
#include "features/dashboards/dashboards.h"
#include "features/revisions/revisions.h"
#include "permissions/defaults.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Row;

constexpr const char* made_setting = "sample-content-made";   // a row in setting, no setting anybody changes

// Ids of the sample's tables and columns by "ORDERS" and "ORDERS.TOTAL".
class Names {
 public:
  Names(Connection& connection, DatabaseId database) {
    connection.each("SELECT t.id AS table_id, t.name AS table_name, f.id AS field_id, f.name AS field_name FROM data_table t JOIN data_field f ON f.table_id = t.id "
                    "WHERE t.database_id = ? AND t.active = TRUE AND f.active = TRUE", {database}, [&](const Row& row) {
      auto table = lower_ascii(row.text("table_name"));
      ids_[table] = row.integer("table_id");
      ids_[table + "." + lower_ascii(row.text("field_name"))] = row.integer("field_id");
    });
  }
  std::int64_t operator()(const std::string& name) const { return ids_.at(name); }
  std::optional<std::string> first_missing() const {
    for (auto name : {"orders", "orders.user_id", "orders.product_id", "orders.subtotal", "orders.discount", "orders.quantity", "orders.created_at", "products", "products.title", "products.category",
                      "people.state", "reviews", "reviews.product_id", "reviews.rating", "reviews.created_at"}) {
      if (!ids_.contains(name)) return name;
    }
    return std::nullopt;
  }

 private:
  std::map<std::string, std::int64_t> ids_;
};

json::array clause(std::initializer_list<json::value> parts) {
  json::array out;
  for (auto& part : parts) out.push_back(part);
  return out;
}
json::array field(std::int64_t id, json::value options = nullptr) { return clause({"field", id, std::move(options)}); }
json::array list(json::array only) {
  json::array out;
  out.push_back(std::move(only));
  return out;
}
json::array named(json::array aggregation, const char* display_name) {
  return clause({"aggregation-options", std::move(aggregation), json::object{{"display-name", display_name}}});
}

json::object money(const char* column) {
  auto key = std::string("[\"name\",\"") + column + "\"]";
  json::object out;
  out[key] = json::object{{"number_style", "currency"}, {"currency", "USD"}, {"currency_style", "symbol"}, {"decimals", 0}};
  return out;
}

struct SampleCard {
  std::string name, description, display;
  json::object query, settings;
  std::int64_t row, column, size_x, size_y;
  bool of_reviews = false;
  CardId id = {};
  json::value metadata = nullptr;
};

std::vector<SampleCard> sample_cards(const Names& id) {
  auto orders_month = field(id("orders.created_at"), json::object{{"temporal-unit", "month"}});
  auto category = field(id("products.category"), json::object{{"source-field", id("orders.product_id")}});
  auto title = field(id("products.title"), json::object{{"source-field", id("orders.product_id")}});
  auto state = field(id("people.state"), json::object{{"source-field", id("orders.user_id")}});
  // What stays after the discount, before tax.
  json::object expressions{{"Net", clause({"-", field(id("orders.subtotal")), clause({"coalesce", field(id("orders.discount")), 0})})}};
  auto revenue = named(clause({"sum", clause({"expression", "Net"})}), "Net revenue");
  auto orders = [&](json::array aggregation, json::array breakout) {
    return json::object{{"source-table", id("orders")}, {"expressions", expressions}, {"aggregation", list(std::move(aggregation))}, {"breakout", std::move(breakout)}};
  };
  auto best_sellers = json::object{{"source-table", id("orders")}, {"expressions", expressions}, {"aggregation", clause({revenue, named(clause({"sum", field(id("orders.quantity"))}), "Sold")})},
                                   {"breakout", list(title)}, {"order-by", list(clause({"desc", clause({"aggregation", 0})}))}, {"limit", 10}};
  auto rating = json::object{{"source-table", id("reviews")}, {"aggregation", list(named(clause({"avg", field(id("reviews.rating"))}), "Rating"))},
                             {"breakout", list(field(id("reviews.created_at"), json::object{{"temporal-unit", "month"}}))}};
  json::object bar_in_table = money("sum");
  bar_in_table["[\"name\",\"sum\"]"].get_object()["show_mini_bar"] = true;
  bar_in_table["[\"name\",\"TITLE\"]"] = json::object{{"column_title", "Product"}};
  json::object one_decimal;
  one_decimal["[\"name\",\"avg\"]"] = json::object{{"decimals", 2}};
  auto trend = [](const char* column, json::object formats) { return json::object{{"scalar.field", column}, {"column_settings", std::move(formats)}}; };
  return {
      {"Net revenue", "What customers paid after discounts, before tax.", "smartscalar", orders(revenue, list(orders_month)), trend("sum", money("sum")), 0, 0, 6, 3},
      {"Orders", "How many orders came in.", "smartscalar", orders(named(clause({"count"}), "Orders"), list(orders_month)), trend("count", {}), 0, 6, 6, 3},
      {"Average order", "Net revenue per order.", "smartscalar", orders(named(clause({"avg", clause({"expression", "Net"})}), "Average order"), list(orders_month)),
       trend("avg", [&] { auto m = money("avg"); m.begin()->value().get_object()["decimals"] = 2; return m; }()), 0, 12, 6, 3},
      {"Average rating", "Stars given in reviews.", "smartscalar", rating, trend("avg", one_decimal), 0, 18, 6, 3, true},
      {"Net revenue by month", "Month by month over the chosen time.", "area", orders(revenue, list(orders_month)),
       {{"graph.dimensions", clause({"CREATED_AT"})}, {"graph.metrics", clause({"sum"})}, {"graph.x_axis.title_text", ""}, {"graph.y_axis.title_text", ""}, {"column_settings", money("sum")}}, 3, 0, 14, 6},
      {"Revenue by category", "Which kinds of goods the revenue comes from.", "bar", orders(revenue, clause({orders_month, category})),
       {{"graph.dimensions", clause({"CREATED_AT", "CATEGORY"})}, {"graph.metrics", clause({"sum"})}, {"stackable.stack_type", "stacked"}, {"graph.x_axis.title_text", ""}, {"graph.y_axis.title_text", ""},
        {"column_settings", money("sum")}}, 3, 14, 10, 6},
      {"Revenue by state", "Where the customers live.", "map", orders(revenue, list(state)),
       {{"map.type", "region"}, {"map.region", "us_states"}, {"map.dimension", "STATE"}, {"map.metric", "sum"}, {"column_settings", money("sum")}}, 9, 0, 9, 8},
      {"Best sellers", "The ten products with the highest net revenue.", "table", best_sellers, {{"column_settings", bar_in_table}}, 9, 9, 10, 8},
  };
}

constexpr const char* note_text =
    "### Reading this page\n\n"
    "An invented shop for home goods, to try things out on. The numbers above compare the last month with the one before.\n\n"
    "Click a bar or a point to look closer, or change the filters at the top.";

json::array sample_parameters(const std::string& range) {
  json::object date{{"id", "5a4d61e1"}, {"name", "Date"}, {"slug", "date"}, {"type", "date/all-options"}, {"sectionId", "date"}};
  if (!range.empty()) date["default"] = range;
  json::array out;
  out.push_back(std::move(date));
  out.push_back(json::object{{"id", "c0ffee21"}, {"name", "Category"}, {"slug", "category"}, {"type", "string/="}, {"sectionId", "string"}});
  out.push_back(json::object{{"id", "7e57a7e5"}, {"name", "State"}, {"slug", "state"}, {"type", "string/="}, {"sectionId", "location"}});
  return out;
}

json::array mappings(const SampleCard& card, const Names& id) {
  json::array out;
  auto map = [&](const char* parameter, json::array target_field) {
    out.push_back(json::object{{"parameter_id", parameter}, {"card_id", card.id.value}, {"target", clause({"dimension", std::move(target_field)})}});
  };
  map("5a4d61e1", field(id(card.of_reviews ? "reviews.created_at" : "orders.created_at")));
  map("c0ffee21", field(id("products.category"), json::object{{"source-field", id(card.of_reviews ? "reviews.product_id" : "orders.product_id")}}));
  if (!card.of_reviews) map("7e57a7e5", field(id("people.state"), json::object{{"source-field", id("orders.user_id")}}));
  return out;
}

// "2025-11-01~2026-10-31": the last twelve months that are whole in the data. The data stand still, so "past12months" would be
// empty one day. Empty when there are no orders.
std::string last_whole_year(Services& services, DatabaseId database, const Names& id) {
  using namespace std::chrono;
  pipeline::QueryRequest request;
  request.dataset_query = json::object{{"database", database.value}, {"type", "query"},
      {"query", json::object{{"source-table", id("orders")}, {"aggregation", list(clause({"max", field(id("orders.created_at"))}))}}}};
  auto rows = pipeline::query_rows(services.queries, permissions::server_rights(), request, 1);
  if (rows.empty() || !rows[0].is_array() || rows[0].get_array().empty() || !rows[0].get_array()[0].is_string()) return "";
  auto last = parse_timestamp(std::string_view(rows[0].get_array()[0].get_string()));
  if (!last) return "";
  year_month_day day{floor<days>(*last + hours(24))};                 // the month that this day begins or lies in is not whole
  auto end = sys_days(day.year() / day.month() / 1) - days(1);
  year_month_day end_day{end}, start{year_month_day{end}.year() / year_month_day{end}.month() / 1};
  start = (start.year() / start.month() - months(11)) / 1;
  auto text = [](year_month_day d) { return to_text(Timestamp(sys_days(d))).substr(0, 10); };
  return text(start) + "~" + text(end_day);
}

// Who made it: nobody who signs in.
PersonId internal_person(Connection& connection, Timestamp now) {
  if (auto row = connection.query_one("SELECT id FROM person WHERE kind = 'internal' ORDER BY id LIMIT 1")) return row->id<PersonId>("id");
  return PersonId(connection.insert("person", {{"email", "internal@basalt.invalid"}, {"first_name", "Basalt"}, {"last_name", nullptr}, {"is_administrator", false}, {"is_active", false},
                                               {"kind", "internal"}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}}));
}

bool made_before(Connection& connection) { return connection.count("SELECT count(*) FROM setting WHERE key = ?", {made_setting}) > 0; }

}  // namespace

void add_sample_content(Services& services, DatabaseId database) {
  if (services.store.read(made_before)) return;
  auto id = services.store.read([&](Connection& c) { return Names(c, database); });
  if (auto missing = id.first_missing()) {
    log::warning("sample_content_left_out", {{"missing", *missing}});
    return;
  }
  // Everything that asks the sample database comes before the transaction.
  auto cards = sample_cards(id);
  std::string range;
  try {
    range = last_whole_year(services, database, id);
    for (auto& card : cards) {
      pipeline::QueryRequest request;
      request.dataset_query = json::object{{"database", database.value}, {"type", "query"}, {"query", card.query}};
      card.metadata = pipeline::result_metadata(services.queries, permissions::server_rights(), request);
    }
  } catch (const Failure& failure) {
    log::warning("sample_content_without_metadata", {{"reason", failure.sentence()}});
  }

  services.store.write([&](Connection& connection) {
    if (made_before(connection)) return;
    auto now = services.clock.now();
    auto person = internal_person(connection, now);
    auto collection = CollectionId(connection.insert("collection", {{"name", "Sample"}, {"description", "Questions and a dashboard on the sample database, to look around in and to change as you like."},
        {"slug", "sample"}, {"location", "/"}, {"archived", false}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}}));
    connection.insert("collection_permission", {{"group_id", permissions::all_users}, {"collection_id", collection}, {"value", "curate"}});
    for (auto& card : cards) {
      json::object query{{"database", database.value}, {"type", "query"}, {"query", card.query}};
      auto facts = query_facts(query);
      card.id = CardId(connection.insert("card", {{"name", card.name}, {"description", card.description}, {"kind", "question"}, {"display", card.display}, {"dataset_query", query},
          {"query_type", "query"}, {"database_id", database}, {"table_id", facts.table}, {"visualization_settings", card.settings}, {"parameters", json::array()},
          {"parameter_mappings", json::array()}, {"result_metadata", card.metadata.is_null() ? appdb::Parameter(nullptr) : appdb::Parameter(card.metadata)}, {"collection_id", collection},
          {"collection_preview", true}, {"archived", false}, {"archived_directly", false}, {"enable_embedding", false}, {"creator_id", person}, {"last_editor_id", person}, {"last_edited_at", now},
          {"view_count", 0}, {"last_used_at", now}, {"saved_by_version", std::string(api_level)}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}}));
    }
    auto dashboard = DashboardId(connection.insert("dashboard", {{"name", "Sales overview"}, {"description", "How the sample shop is doing: revenue, orders, ratings and what sells."},
        {"parameters", sample_parameters(range)}, {"width", "fixed"}, {"auto_apply_filters", true}, {"collection_id", collection}, {"collection_position", 1}, {"archived", false},
        {"archived_directly", false}, {"show_in_getting_started", false}, {"enable_embedding", false}, {"creator_id", person}, {"last_editor_id", person}, {"last_edited_at", now}, {"view_count", 0},
        {"last_viewed_at", now}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}}));
    auto place = [&](std::optional<CardId> card, std::int64_t row, std::int64_t column, std::int64_t size_x, std::int64_t size_y, const json::array& wired, const json::object& settings) {
      connection.insert("dashcard", {{"dashboard_id", dashboard}, {"card_id", card}, {"row_position", row}, {"column_position", column}, {"size_x", size_x}, {"size_y", size_y},
          {"parameter_mappings", wired}, {"visualization_settings", settings}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}});
    };
    for (auto& card : cards) place(card.id, card.row, card.column, card.size_x, card.size_y, mappings(card, id), {});
    place(std::nullopt, 9, 19, 5, 8, {}, {{"virtual_card", json::object{{"name", nullptr}, {"display", "text"}, {"dataset_query", json::object()}, {"visualization_settings", json::object()}, {"archived", false}}},
                                          {"text", note_text}});
    connection.insert("setting", {{"key", made_setting}, {"value", json::value(true)}, {"updated_at", now}}, Connection::HasId::No);
  });
  services.permissions.forget();
  log::info("sample_content_made");
}

}  // namespace basalt::features
