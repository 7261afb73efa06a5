// The cards and tabs on a dashboard: read, and replaced by the complete lists that a save brings.
#pragma once
#include "features/cards/cards.h"

namespace basalt::features {

inline constexpr std::size_t dashcards_at_most = 2'000, tabs_at_most = 200;

struct Dashcard {
  DashcardId id;
  std::optional<DashboardTabId> tab;
  std::optional<CardId> card;
  std::optional<std::int64_t> action;
  std::int64_t row = 0, column = 0, size_x = 4, size_y = 4;
  json::value parameter_mappings = json::array(), inline_parameters = nullptr, visualization_settings = json::object();
  std::vector<CardId> series;
  std::string entity_id, created_at, updated_at;
};
struct DashboardTab {
  DashboardTabId id;
  std::string name, entity_id, created_at, updated_at;
  std::int64_t position = 0;
};
struct DashboardContent {
  std::vector<DashboardTab> tabs;       // in order
  std::vector<Dashcard> dashcards;      // by tab, row, column
};

DashboardContent read_content(appdb::Connection& connection, DashboardId dashboard);   // three statements

// What a save brings, checked: BadRequest names the entry.
struct WantedTab {
  std::int64_t id = 0;                  // known: update; else: a new one that dashcards may name by it
  std::string name;
};
struct WantedDashcard {
  std::int64_t id = 0;
  std::optional<std::int64_t> tab, card, action;
  std::int64_t row = 0, column = 0, size_x = 0, size_y = 0;
  std::optional<json::value> parameter_mappings, inline_parameters, visualization_settings;
  std::optional<std::vector<std::int64_t>> series;
};
std::vector<WantedTab> tabs_from(const json::array& tabs);
std::vector<WantedDashcard> dashcards_from(const json::array& dashcards);

// Makes the dashboard's content what the lists say; an absent list leaves that part as it is. Cards that are new on the
// dashboard must be in sight of the person. Dashcards of cards in the trash stay although no client sees them.
void replace_content(appdb::Connection& connection, const permissions::Rights& rights, DashboardId dashboard, const std::optional<std::vector<WantedTab>>& tabs,
                     const std::optional<std::vector<WantedDashcard>>& dashcards, Timestamp now);

json::object tab_json(const DashboardTab& tab, DashboardId dashboard);
// Without `card` and the series' cards.
json::object dashcard_columns_json(const Dashcard& dashcard, DashboardId dashboard);
// [{id, row, …}] as a revision keeps them, and the lists that bring a kept state back.
json::array dashcards_state(const DashboardContent& content);
json::array tabs_state(const DashboardContent& content);

// The first free place for a card of that size on 24 columns: row by row, from the left.
struct GridPlace { std::int64_t row = 0, column = 0; };
GridPlace free_place(const std::vector<Dashcard>& taken, std::int64_t size_x, std::int64_t size_y);

}  // namespace basalt::features
