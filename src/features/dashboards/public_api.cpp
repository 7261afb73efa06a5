#include "features/dashboards/public_api.h"

#include "features/cards/card_queries.h"
#include "features/content/public_links.h"
#include "features/dashboards/dashboard_parameters.h"
#include "features/dashboards/dashboards.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Row;
using http::Request;
using http::Response;

// Strangers learn nothing from a failure but that something is not there.
template <class Work>
auto guarded(Services& services, Work&& work) -> decltype(work()) {
  try {
    require_public_sharing(services);
    return work();
  } catch (const Failure& failure) {
    if (failure.kind() == FailureKind::NotFound) throw not_found();
    if (failure.kind() == FailureKind::Cancelled || failure.kind() == FailureKind::Unavailable) throw;
    throw Failure(FailureKind::BadRequest, "An error occurred.").with_details(failure.sentence());
  }
}

Row require_public_card(Connection& connection, const std::string& uuid) {
  auto row = connection.query_one(select_cards() + " WHERE c.public_uuid = ? AND c.archived = FALSE", {uuid});
  if (!row) throw not_found();
  return std::move(*row);
}
Row require_public_dashboard(Connection& connection, const std::string& uuid) {
  auto row = connection.query_one(select_dashboards() + " WHERE d.public_uuid = ? AND d.archived = FALSE", {uuid});
  if (!row) throw not_found();
  return std::move(*row);
}

// Without its query: only what drawing the result needs.
json::object shown_card(const json::object& card) {
  json::object out;
  for (auto key : {"id", "entity_id", "name", "description", "display", "visualization_settings", "parameters"}) {
    if (auto* value = card.if_contains(key)) out[key] = *value;
  }
  bool native = json::text(card, "query_type") == "native";
  out["dataset_query"] = native ? json::object{{"type", "native"}, {"native", json::object{{"query", "-"}}}} : json::object{{"type", "query"}};
  return out;
}

json::array given_parameters(const Request& request) {
  auto text = request.query_value("parameters");
  json::object body;
  if (text) body["parameters"] = *text;
  else if (request.method == http::Method::Post) return parameters_from(request.json_body());
  return parameters_from(body);
}

// The card's own parameters with the given values; targets come from the card, never from a stranger.
json::array public_card_parameters(const Row& card, const json::array& given) {
  auto declared = card_parameters(array_or_empty(card, "parameters").get_array(), card.json("dataset_query"));
  json::array named;
  for (auto& one : given) {
    if (!one.is_object()) throw bad_field("parameters", "value must be an array of maps.");
    json::object kept;
    auto* target = one.get_object().if_contains("target");
    for (auto& parameter : declared) {
      bool same = json::text(parameter, "id") == json::text(one, "id") || (!json::text(one, "id") && json::text(parameter, "slug") == json::text(one, "slug") && json::text(one, "slug")) ||
                  (!json::text(one, "id") && target && json::find(parameter, "target") && *json::find(parameter, "target") == *target);
      if (same) kept["id"] = parameter.at("id");
    }
    if (!kept.contains("id")) throw bad_field("parameters", "There is no such parameter.");
    if (auto* value = one.get_object().if_contains("value")) kept["value"] = *value;
    named.push_back(std::move(kept));
  }
  return merged_card_parameters(declared, named);
}

json::array without_targets(json::array given) {
  for (auto& one : given) {
    if (auto* o = one.if_object()) o->erase("target");
  }
  return given;
}

// Holds a result of at most the usual row cap, to leave out what strangers should not read.
class Held final : public http::ResponseStream {
 public:
  void start(int, std::vector<std::pair<std::string, std::string>>) override {}
  void write(std::string_view bytes) override { body.append(bytes); }
  std::string body;
};

const json::object& failed_answer() {
  static const json::object answer{{"status", "failed"}, {"error", "An error occurred while running the query."}};
  return answer;
}

// Passes a file on; of a failure only that there was one.
class Veil final : public http::ResponseStream {
 public:
  explicit Veil(http::ResponseStream& out) : out_(out) {}
  void start(int status, std::vector<std::pair<std::string, std::string>> headers) override {
    out_.start(status, std::move(headers));
    if (status < 400) return;
    failed_ = true;
    out_.write(json::write(failed_answer()));
  }
  void write(std::string_view bytes) override { if (!failed_) out_.write(bytes); }

 private:
  http::ResponseStream& out_;
  bool failed_ = false;
};

json::object trimmed(const json::value& result, const json::array& parameters) {
  if (json::text(result, "status") != "completed") {
    auto answer = failed_answer();
    if (auto type = json::text(result, "error_type")) answer["error_type"] = *type;
    return answer;
  }
  json::object data;
  if (auto* full = json::find(result, "data"); full && full->is_object()) {
    for (auto key : {"cols", "rows", "rows_truncated", "insights", "requested_timezone", "results_timezone"}) {
      if (auto* value = full->get_object().if_contains(key)) data[key] = *value;
    }
  }
  return {{"data", std::move(data)}, {"json_query", json::object{{"parameters", parameters}}}, {"status", "completed"}};
}

Response run_publicly(Services& services, const Request& request, const Row& card, json::array parameters, pipeline::Format format, std::optional<DashboardId> dashboard, bool pivot) {
  // The link itself is the permission.
  std::shared_ptr<const permissions::Rights> everything(&permissions::server_rights(), [](auto*) {});
  auto response = run_card(services, request, everything, card, {parameters, dashboard ? "public-dashboard" : "public-question", dashboard, format, pivot});
  return Response::stream([producer = std::move(response.producer), parameters = std::move(parameters), format](http::ResponseStream& out) {
    if (format != pipeline::Format::Api) {
      Veil veil(out);
      return producer(veil);
    }
    Held held;
    json::object answer;
    try {
      producer(held);
      answer = trimmed(json::parse(held.body), parameters);
    } catch (const Failure& failure) {
      if (failure.kind() == FailureKind::Cancelled) throw;
      answer = failed_answer();
    }
    out.start(202, {{"Content-Type", "application/json;charset=utf-8"}, {"X-Accel-Buffering", "no"}});
    out.write(json::write(answer));
  });
}

Response run_public_card(Services& services, const Request& request, pipeline::Format format, bool pivot) {
  auto given = given_parameters(request);
  auto card = services.store.read([&](Connection& c) { return require_public_card(c, request.path_value("uuid")); });
  return run_publicly(services, request, card, public_card_parameters(card, given), format, std::nullopt, pivot);
}

Response run_public_dashcard(Services& services, const Request& request, pipeline::Format format, bool pivot) {
  auto given = without_targets(given_parameters(request));
  struct Found { Row card; DashboardId dashboard; json::array parameters; };
  auto found = services.store.read([&](Connection& connection) {
    auto dashboard = require_public_dashboard(connection, request.path_value("uuid"));
    auto card_id = request.path_id<CardId>("card-id");
    auto dashcard = connection.query_one("SELECT dc.parameter_mappings FROM dashcard dc WHERE dc.id = ? AND dc.dashboard_id = ? AND "
                                         "(dc.card_id = ? OR EXISTS (SELECT 1 FROM dashcard_series s WHERE s.dashcard_id = dc.id AND s.card_id = ?))",
                                         {request.path_id<DashcardId>("dashcard-id"), dashboard.id<DashboardId>("id"), card_id, card_id});
    auto card = connection.query_one(select_cards() + " WHERE c.id = ? AND c.archived = FALSE", {card_id});
    if (!dashcard || !card) throw not_found();
    auto parameters = dashcard_parameters(array_or_empty(dashboard, "parameters").get_array(), array_or_empty(*dashcard, "parameter_mappings").get_array(), card_id, given);
    return Found{std::move(*card), dashboard.id<DashboardId>("id"), std::move(parameters)};
  });
  return run_publicly(services, request, found.card, std::move(found.parameters), format, found.dashboard, pivot);
}

json::object public_card(Services& services, const Request& request) {
  return services.store.read([&](Connection& connection) {
    auto row = require_public_card(connection, request.path_value("uuid"));
    auto card = shown_card(card_columns_json(row, permissions::server_rights()));
    card["parameters"] = card_parameters(array_or_empty(row, "parameters").get_array(), row.json("dataset_query"));
    card["param_fields"] = json::object();
    return card;
  });
}

json::object public_dashboard(Services& services, const Request& request) {
  auto id = services.store.read([&](Connection& c) { return require_public_dashboard(c, request.path_value("uuid")).id<DashboardId>("id"); });
  auto full = dashboard_json(services, permissions::server_rights(), id);
  json::object out;
  for (auto key : {"id", "name", "description", "parameters", "auto_apply_filters", "width", "tabs", "param_fields"}) out[key] = std::move(full[key]);
  json::array dashcards;
  for (auto& entry : full["dashcards"].get_array()) {
    auto& dashcard = entry.get_object();
    json::object one;
    for (auto key : {"id", "card_id", "dashboard_id", "dashboard_tab_id", "row", "col", "size_x", "size_y", "parameter_mappings", "visualization_settings", "inline_parameters"}) one[key] = std::move(dashcard[key]);
    one["card"] = dashcard["card"].is_object() ? json::value(shown_card(dashcard["card"].get_object())) : json::value(nullptr);
    json::array series;
    for (auto& card : dashcard["series"].get_array()) series.push_back(shown_card(card.get_object()));
    one["series"] = std::move(series);
    dashcards.push_back(std::move(one));
  }
  out["dashcards"] = std::move(dashcards);
  return out;
}

ParameterQuestion public_question(Services& services, const Request& request, const char* kind) {
  return services.store.read([&](Connection& connection) {
    if (std::string_view(kind) == "card") return card_parameter_question(require_public_card(connection, request.path_value("uuid")), request.path_value("key"));
    return dashboard_parameter_question(connection, require_public_dashboard(connection, request.path_value("uuid")), request);
  });
}

}  // namespace

void add_public_routes(http::Routes& routes, Services& services) {
  routes.in_feature("public");
  auto run_card_as = [&services](Request& r, pipeline::Format format, bool pivot = false) { return guarded(services, [&] { return run_public_card(services, r, format, pivot); }); };
  auto run_dashcard_as = [&services](Request& r, pipeline::Format format, bool pivot = false) { return guarded(services, [&] { return run_public_dashcard(services, r, format, pivot); }); };
  routes.get("/api/public/card/:uuid", [&services](Request& r) { return guarded(services, [&] { return public_card(services, r); }); }).open().summary("A card by its public link.");
  routes.get("/api/public/card/:uuid/query", [run_card_as](Request& r) { return run_card_as(r, pipeline::Format::Api); }).open().summary("Run a public card.");
  routes.get("/api/public/card/:uuid/query/:format", [&services, run_card_as](Request& r) {
    return run_card_as(r, guarded(services, [&] { return format_from(r.path_value("format")); }));
  }).open().summary("Download a public card's result.");
  routes.get("/api/public/pivot/card/:uuid/query", [run_card_as](Request& r) { return run_card_as(r, pipeline::Format::Api, true); }).open().summary("Run a public card with the subtotals of its pivot table.");
  routes.get("/api/public/pivot/dashboard/:uuid/dashcard/:dashcard-id/card/:card-id", [run_dashcard_as](Request& r) { return run_dashcard_as(r, pipeline::Format::Api, true); }).open()
      .summary("Run a card of a public dashboard with the subtotals of its pivot table.");
  routes.get("/api/public/dashboard/:uuid", [&services](Request& r) { return guarded(services, [&] { return public_dashboard(services, r); }); }).open().summary("A dashboard by its public link.");
  routes.get("/api/public/dashboard/:uuid/dashcard/:dashcard-id/card/:card-id", [run_dashcard_as](Request& r) { return run_dashcard_as(r, pipeline::Format::Api); }).open().summary("Run a card of a public dashboard.");
  auto export_dashcard = [&services, run_dashcard_as](Request& r) { return run_dashcard_as(r, guarded(services, [&] { return format_from(r.path_value("format")); })); };
  routes.get("/api/public/dashboard/:uuid/dashcard/:dashcard-id/card/:card-id/:format", export_dashcard).open().summary("Download a result of a public dashboard.");
  routes.post("/api/public/dashboard/:uuid/dashcard/:dashcard-id/card/:card-id/:format", export_dashcard).open().summary("The same by POST.");
  for (const char* kind : {"card", "dashboard"}) {
    auto base = std::string("/api/public/") + kind + "/:uuid/params/:key";
    routes.get(base + "/values", [&services, kind](Request& r) {
      return guarded(services, [&] { return parameter_values(services, permissions::server_rights(), public_question(services, r, kind), r.gone); });
    }).open().runs_on(http::Pool::Query).summary("Values a filter offers.");
    routes.get(base + "/search/:query", [&services, kind](Request& r) {
      return guarded(services, [&] {
        auto question = public_question(services, r, kind);
        question.search = r.path_value("query");
        return parameter_values(services, permissions::server_rights(), question, r.gone);
      });
    }).open().runs_on(http::Pool::Query).summary("The same, only those that contain a text.");
    routes.get(base + "/remapping", [&services, kind](Request& r) {
      return guarded(services, [&] { return parameter_remapping(services, permissions::server_rights(), public_question(services, r, kind), r.query_value("value").value_or(""), r.gone); });
    }).open().runs_on(http::Pool::Query).summary("The label of one value.");
  }
}

}  // namespace basalt::features
