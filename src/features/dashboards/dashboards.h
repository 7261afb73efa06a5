// Dashboards: what they are, how they are changed, what the API says of them.
#pragma once
#include "features/content/parameter_values.h"
#include "features/dashboards/dashcards.h"

namespace basalt::features {

struct NewDashboard {
  std::string name;
  std::optional<std::string> description;
  std::optional<json::array> parameters;
  std::optional<std::int64_t> cache_ttl, collection_position;
  Patch<json::value> collection_id;
  static constexpr auto fields() {
    return json_fields(field("name", &NewDashboard::name, object_name), field("description", &NewDashboard::description), field("parameters", &NewDashboard::parameters),
                       field("cache_ttl", &NewDashboard::cache_ttl, positive), field("collection_id", &NewDashboard::collection_id),
                       field("collection_position", &NewDashboard::collection_position, positive));
  }
};

struct DashboardChange {
  std::optional<std::string> name, width;
  Patch<std::string> description, caveats, points_of_interest;
  std::optional<bool> show_in_getting_started, enable_embedding, archived, auto_apply_filters;
  Patch<json::object> embedding_params;
  std::optional<json::array> parameters, dashcards, tabs;
  Patch<std::int64_t> position, collection_position, cache_ttl;
  Patch<json::value> collection_id;
  static constexpr auto fields() {
    return json_fields(field("name", &DashboardChange::name, object_name), field("width", &DashboardChange::width), field("description", &DashboardChange::description),
                       field("caveats", &DashboardChange::caveats), field("points_of_interest", &DashboardChange::points_of_interest),
                       field("show_in_getting_started", &DashboardChange::show_in_getting_started), field("enable_embedding", &DashboardChange::enable_embedding),
                       field("archived", &DashboardChange::archived), field("auto_apply_filters", &DashboardChange::auto_apply_filters),
                       field("embedding_params", &DashboardChange::embedding_params), field("parameters", &DashboardChange::parameters),
                       field("dashcards", &DashboardChange::dashcards), field("tabs", &DashboardChange::tabs), field("position", &DashboardChange::position, not_negative),
                       field("collection_position", &DashboardChange::collection_position, positive), field("cache_ttl", &DashboardChange::cache_ttl, positive),
                       field("collection_id", &DashboardChange::collection_id));
  }
};

struct DashboardCopy {
  std::optional<std::string> name, description;
  Patch<json::value> collection_id;
  std::optional<std::int64_t> collection_position;
  std::optional<bool> is_deep_copy;
  static constexpr auto fields() {
    return json_fields(field("name", &DashboardCopy::name, object_name), field("description", &DashboardCopy::description), field("collection_id", &DashboardCopy::collection_id),
                       field("collection_position", &DashboardCopy::collection_position, positive), field("is_deep_copy", &DashboardCopy::is_deep_copy));
  }
};

// SELECT … FROM dashboard d with creator and editor joined. Add WHERE and so on.
std::string select_dashboards();
json::object dashboard_columns_json(const appdb::Row& row, const permissions::Rights& rights);
json::object dashboard_row_json(const appdb::Row& row, const permissions::Rights& rights, const Collections& collections);   // of GET /api/dashboard
// The full object with tabs, dashcards and their cards: at most nine statements, whatever the number of cards.
json::object dashboard_json(Services& services, const permissions::Rights& rights, DashboardId id);
// What a revision keeps.
json::object dashboard_state(const appdb::Row& row, const DashboardContent& content);

// NotFound when there is none or the person may not view its collection.
appdb::Row require_dashboard(appdb::Connection& connection, const permissions::Rights& rights, DashboardId id);

DashboardId create_dashboard(appdb::Connection& connection, const permissions::Rights& rights, const NewDashboard& wanted, Timestamp now);
void change_dashboard(appdb::Connection& connection, const permissions::Rights& rights, DashboardId id, const DashboardChange& change, Timestamp now);
void delete_dashboard(appdb::Connection& connection, const permissions::Rights& rights, DashboardId id);
struct CopiedDashboard { DashboardId id; json::array uncopied; };
CopiedDashboard copy_dashboard(appdb::Connection& connection, const permissions::Rights& rights, DashboardId id, const DashboardCopy& wanted, Timestamp now);
void revert_dashboard(appdb::Connection& connection, const permissions::Rights& rights, DashboardId id, RevisionId revision, Timestamp now);

// Puts a card on the dashboard at the first free place of the tab (the first one when not given). The caller has asked for
// the right to change the dashboard. A revision of the dashboard is kept.
DashcardId append_dashcard(appdb::Connection& connection, PersonId person, DashboardId dashboard, std::optional<DashboardTabId> tab, CardId card,
                           std::string_view display, std::optional<std::int64_t> size_x, std::optional<std::int64_t> size_y, Timestamp now);

// Fields that each parameter filters: {"<parameter id>": [field ids]}, through the dashcards' mappings.
std::map<std::string, std::vector<FieldId>> parameter_fields(appdb::Connection& connection, const json::array& parameters, const DashboardContent& content);

// What GET …/params/:key/values asks: the parameter named by the path's `key`, narrowed by the other parameters in the query
// (`<parameter id>=value`). NotFound for an unknown key.
ParameterQuestion dashboard_parameter_question(appdb::Connection& connection, const appdb::Row& dashboard, const http::Request& request);

}  // namespace basalt::features
