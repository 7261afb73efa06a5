#include "features/dashboards/dashcards.h"

#include <algorithm>

#include "base/random.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Row;
using permissions::CollectionRight;
using permissions::Rights;

constexpr std::int64_t grid_columns = 24;

Failure wrong(const char* list, std::size_t at, const std::string& what) {
  return bad_field(list, "Entry " + std::to_string(at + 1) + ": " + what);
}

std::optional<json::value> kept(const json::value& entry, const char* key) {
  auto* found = entry.get_object().if_contains(key);
  return found ? std::optional(*found) : std::nullopt;
}

json::value integers(const std::vector<CardId>& ids) {
  json::array out;
  for (auto id : ids) out.push_back(json::value(id.value));
  return out;
}

}  // namespace

DashboardContent read_content(Connection& connection, DashboardId dashboard) {
  DashboardContent content;
  connection.each("SELECT id, name, position, entity_id, created_at, updated_at FROM dashboard_tab WHERE dashboard_id = ? ORDER BY position, id", {dashboard}, [&](const Row& row) {
    content.tabs.push_back({row.id<DashboardTabId>("id"), row.text("name"), row.optional_text("entity_id").value_or(""), row.text("created_at"), row.text("updated_at"), row.integer("position")});
  });
  std::map<std::int64_t, std::size_t> places;
  connection.each("SELECT d.id, d.dashboard_tab_id, d.card_id, d.action_id, d.row_position, d.column_position, d.size_x, d.size_y, d.parameter_mappings, d.inline_parameters, "
                  "d.visualization_settings, d.created_at, d.updated_at, d.entity_id FROM dashcard d LEFT JOIN dashboard_tab t ON t.id = d.dashboard_tab_id "
                  "WHERE d.dashboard_id = ? ORDER BY coalesce(t.position, 0), d.row_position, d.column_position, d.id", {dashboard}, [&](const Row& row) {
    Dashcard d;
    d.id = row.id<DashcardId>("id");
    d.tab = row.optional_id<DashboardTabId>("dashboard_tab_id");
    d.card = row.optional_id<CardId>("card_id");
    d.action = row.optional_integer("action_id");
    d.row = row.integer("row_position");
    d.column = row.integer("column_position");
    d.size_x = row.integer("size_x");
    d.size_y = row.integer("size_y");
    d.parameter_mappings = array_or_empty(row, "parameter_mappings");
    d.inline_parameters = json_or(row, "inline_parameters", nullptr);
    d.visualization_settings = object_or_empty(row, "visualization_settings");
    d.entity_id = row.optional_text("entity_id").value_or("");
    d.created_at = row.text("created_at");
    d.updated_at = row.text("updated_at");
    places[d.id.value] = content.dashcards.size();
    content.dashcards.push_back(std::move(d));
  });
  connection.each("SELECT s.dashcard_id, s.card_id FROM dashcard_series s JOIN dashcard d ON d.id = s.dashcard_id WHERE d.dashboard_id = ? ORDER BY s.dashcard_id, s.position", {dashboard},
                  [&](const Row& row) { content.dashcards[places.at(row.integer("dashcard_id"))].series.push_back(row.id<CardId>("card_id")); });
  return content;
}

std::vector<WantedTab> tabs_from(const json::array& tabs) {
  if (tabs.size() > tabs_at_most) throw bad_field("tabs", "A dashboard has at most " + std::to_string(tabs_at_most) + " tabs.");
  std::vector<WantedTab> out;
  std::set<std::int64_t> seen;
  for (std::size_t i = 0; i < tabs.size(); ++i) {
    auto id = json::integer(tabs[i], "id");
    auto name = json::text(tabs[i], "name");
    if (!id) throw wrong("tabs", i, "id must be an integer.");
    if (!name || name->find_first_not_of(" \t\r\n") == std::string::npos) throw wrong("tabs", i, "name must be a non-blank string.");
    if (!seen.insert(*id).second) throw bad_field("tabs", "value must be a list of tabs with different ids.");
    out.push_back({*id, *name});
  }
  return out;
}

std::vector<WantedDashcard> dashcards_from(const json::array& dashcards) {
  if (dashcards.size() > dashcards_at_most) throw bad_field("dashcards", "A dashboard holds at most " + std::to_string(dashcards_at_most) + " cards.");
  std::vector<WantedDashcard> out;
  std::set<std::int64_t> seen;
  for (std::size_t i = 0; i < dashcards.size(); ++i) {
    auto& entry = dashcards[i];
    if (!entry.is_object()) throw wrong("dashcards", i, "value must be a map.");
    WantedDashcard d;
    auto needed = [&](const char* key, std::int64_t lowest) {
      auto value = json::integer(entry, key);
      if (!value || *value < lowest || *value > 1'000'000) throw wrong("dashcards", i, std::string(key) + " must be an integer of " + std::to_string(lowest) + " or more.");
      return *value;
    };
    auto id = json::integer(entry, "id");
    if (!id) throw wrong("dashcards", i, "id must be an integer; a negative one for a new card.");
    d.id = *id;
    if (!seen.insert(d.id).second) throw bad_field("dashcards", "value must be a list of dashcards with different ids.");
    d.size_x = needed("size_x", 1);
    d.size_y = needed("size_y", 1);
    d.row = needed("row", 0);
    d.column = needed("col", 0);
    d.tab = json::integer(entry, "dashboard_tab_id");
    d.card = json::integer(entry, "card_id");
    d.action = json::integer(entry, "action_id");
    d.parameter_mappings = kept(entry, "parameter_mappings");
    if (d.parameter_mappings && !d.parameter_mappings->is_array()) {
      if (!d.parameter_mappings->is_null()) throw wrong("dashcards", i, "parameter_mappings must be an array.");
      d.parameter_mappings = json::value(json::array());
    }
    d.inline_parameters = kept(entry, "inline_parameters");
    if (d.inline_parameters && !d.inline_parameters->is_array() && !d.inline_parameters->is_null()) throw wrong("dashcards", i, "inline_parameters must be an array.");
    d.visualization_settings = kept(entry, "visualization_settings");
    if (d.visualization_settings && !d.visualization_settings->is_object()) {
      if (!d.visualization_settings->is_null()) throw wrong("dashcards", i, "visualization_settings must be a map.");
      d.visualization_settings = json::value(json::object());
    }
    if (auto* series = json::sub_array(entry, "series")) {
      d.series.emplace();
      for (auto& one : *series) {
        auto card = one.is_object() ? json::integer(one, "id") : json::as_integer(one);
        if (!card) throw wrong("dashcards", i, "series must be an array of maps with the id of a card.");
        d.series->push_back(*card);
      }
      if (d.series->size() > 100) throw wrong("dashcards", i, "series has at most 100 cards.");
    }
    out.push_back(std::move(d));
  }
  return out;
}

void replace_content(Connection& connection, const Rights& rights, DashboardId dashboard, const std::optional<std::vector<WantedTab>>& tabs,
                     const std::optional<std::vector<WantedDashcard>>& dashcards, Timestamp now) {
  auto before = read_content(connection, dashboard);

  // Tabs first: new dashcards name them by the ids the client made up.
  std::map<std::int64_t, std::int64_t> tab_ids;
  if (tabs) {
    std::set<std::int64_t> known, left;
    for (auto& tab : before.tabs) known.insert(tab.id.value);
    for (std::size_t i = 0; i < tabs->size(); ++i) {
      auto& tab = (*tabs)[i];
      auto position = static_cast<std::int64_t>(i);
      if (known.contains(tab.id)) {
        connection.update("dashboard_tab", {{"name", tab.name}, {"position", position}, {"updated_at", now}}, "id", tab.id);
        tab_ids[tab.id] = tab.id;
      } else {
        tab_ids[tab.id] = connection.insert("dashboard_tab", {{"dashboard_id", dashboard}, {"name", tab.name}, {"position", position}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}});
      }
      left.insert(tab_ids[tab.id]);
    }
    for (auto id : known) {
      if (left.contains(id)) continue;
      if (!dashcards) connection.execute("DELETE FROM dashcard WHERE dashboard_tab_id = ?", {id});
      else connection.execute("UPDATE dashcard SET dashboard_tab_id = NULL WHERE dashboard_tab_id = ?", {id});  // the list says which go on living
      connection.execute("DELETE FROM dashboard_tab WHERE id = ?", {id});
    }
  } else {
    for (auto& tab : before.tabs) tab_ids[tab.id.value] = tab.id.value;
  }
  std::set<std::int64_t> tabs_now;
  for (auto& [sent, id] : tab_ids) tabs_now.insert(id);
  if (!dashcards) {
    if (tabs_now.size() == 1)
      connection.execute("UPDATE dashcard SET dashboard_tab_id = ? WHERE dashboard_id = ? AND dashboard_tab_id IS NULL", {*tabs_now.begin(), dashboard});
    return;
  }

  std::map<std::int64_t, const Dashcard*> known;
  std::set<std::int64_t> cards_before, new_cards;
  for (auto& d : before.dashcards) {
    known[d.id.value] = &d;
    if (d.card) cards_before.insert(d.card->value);
    for (auto card : d.series) cards_before.insert(card.value);
  }
  for (auto& d : *dashcards) {
    if (d.card && !cards_before.contains(*d.card)) new_cards.insert(*d.card);
    for (auto card : d.series.value_or(std::vector<std::int64_t>())) { if (!cards_before.contains(card)) new_cards.insert(card); }
  }
  if (!new_cards.empty()) {
    std::vector<std::int64_t> ids(new_cards.begin(), new_cards.end());
    auto rows = connection.query("SELECT id, collection_id, dashboard_id FROM card WHERE id IN (" + appdb::placeholders(ids.size()) + ")", id_parameters(ids));
    std::set<std::int64_t> seen;
    for (auto& row : rows) {
      if (rights.collection(row.optional_id<CollectionId>("collection_id")) == CollectionRight::None) continue;
      auto owner = row.optional_id<DashboardId>("dashboard_id");
      if (owner && *owner != dashboard) throw bad_field("dashcards", "The question with the id " + std::to_string(row.integer("id")) + " belongs to another dashboard.");
      seen.insert(row.integer("id"));
    }
    for (auto id : ids) {
      if (!seen.contains(id)) throw bad_field("dashcards", "There is no card with the id " + std::to_string(id) + ".");
    }
  }

  std::set<std::int64_t> left;
  for (std::size_t i = 0; i < dashcards->size(); ++i) {
    auto& d = (*dashcards)[i];
    std::optional<std::int64_t> tab;
    if (d.tab) {
      auto found = tab_ids.find(*d.tab);
      if (found == tab_ids.end()) throw wrong("dashcards", i, "dashboard_tab_id names no tab of this dashboard.");
      tab = found->second;
    } else if (tabs_now.size() == 1) {
      tab = *tabs_now.begin();
    } else if (tabs_now.size() > 1) {
      throw wrong("dashcards", i, "This dashboard has several tabs; dashboard_tab_id must say on which one this card lies.");
    }
    auto found = known.find(d.id);
    auto* old = found == known.end() ? nullptr : found->second;
    // A client may leave card_id out of an update; a new dashcard without one is a text card.
    auto card = d.card ? std::optional(CardId(*d.card)) : old ? old->card : std::nullopt;
    std::vector<appdb::Assignment> values{{"dashboard_tab_id", tab}, {"card_id", card}, {"row_position", d.row}, {"column_position", d.column}, {"size_x", d.size_x},
                                          {"size_y", d.size_y}, {"updated_at", now}};
    if (d.parameter_mappings || !old) values.emplace_back("parameter_mappings", d.parameter_mappings.value_or(json::value(json::array())));
    if (d.visualization_settings || !old) values.emplace_back("visualization_settings", d.visualization_settings.value_or(json::value(json::object())));
    if (d.inline_parameters) values.emplace_back("inline_parameters", d.inline_parameters->is_null() ? appdb::Parameter(nullptr) : appdb::Parameter(*d.inline_parameters));
    if (d.action || !old) values.emplace_back("action_id", d.action);
    std::int64_t id = d.id;
    if (old) {
      connection.update("dashcard", values, "id", id);
    } else {
      values.emplace_back("dashboard_id", dashboard);
      values.emplace_back("created_at", now);
      values.emplace_back("entity_id", entity_id());
      id = connection.insert("dashcard", values);
    }
    left.insert(id);
    if (d.series) {
      std::vector<CardId> wanted;
      for (auto one : *d.series) wanted.emplace_back(one);
      if (old ? old->series != wanted : !wanted.empty()) {
        connection.execute("DELETE FROM dashcard_series WHERE dashcard_id = ?", {id});
        for (std::size_t at = 0; at < wanted.size(); ++at)
          connection.insert("dashcard_series", {{"dashcard_id", id}, {"card_id", wanted[at]}, {"position", static_cast<std::int64_t>(at)}});
      }
    }
  }

  std::vector<std::int64_t> gone;
  for (auto& d : before.dashcards) { if (!left.contains(d.id.value)) gone.push_back(d.id.value); }
  if (!gone.empty()) {
    auto list = appdb::placeholders(gone.size());
    connection.execute("DELETE FROM dashcard WHERE id IN (" + list + ") AND (card_id IS NULL OR card_id NOT IN (SELECT id FROM card WHERE archived = TRUE))", id_parameters(gone));
    // A dashboard's own question that no longer lies on it goes to the trash.
    connection.execute("UPDATE card SET archived = TRUE, archived_directly = TRUE, updated_at = ? WHERE dashboard_id = ? AND archived = FALSE "
                       "AND id NOT IN (SELECT card_id FROM dashcard WHERE dashboard_id = ? AND card_id IS NOT NULL) "
                       "AND id NOT IN (SELECT s.card_id FROM dashcard_series s JOIN dashcard d ON d.id = s.dashcard_id WHERE d.dashboard_id = ?)", {now, dashboard, dashboard, dashboard});
  }
}

json::object tab_json(const DashboardTab& tab, DashboardId dashboard) {
  return {{"id", tab.id.value}, {"dashboard_id", dashboard.value}, {"name", tab.name}, {"position", tab.position}, {"entity_id", tab.entity_id},
          {"created_at", tab.created_at}, {"updated_at", tab.updated_at}};
}

json::object dashcard_columns_json(const Dashcard& d, DashboardId dashboard) {
  return {{"id", d.id.value}, {"entity_id", d.entity_id}, {"dashboard_id", dashboard.value}, {"dashboard_tab_id", json::or_null(d.tab)}, {"card_id", json::or_null(d.card)},
          {"action_id", json::or_null(d.action)}, {"row", d.row}, {"col", d.column}, {"size_x", d.size_x}, {"size_y", d.size_y},
          {"parameter_mappings", d.parameter_mappings}, {"inline_parameters", d.inline_parameters}, {"visualization_settings", d.visualization_settings},
          {"collection_authority_level", nullptr}, {"created_at", d.created_at}, {"updated_at", d.updated_at}};
}

json::array dashcards_state(const DashboardContent& content) {
  json::array out;
  for (auto& d : content.dashcards)
    out.push_back(json::object{{"id", d.id.value}, {"dashboard_tab_id", json::or_null(d.tab)}, {"card_id", json::or_null(d.card)}, {"action_id", json::or_null(d.action)},
        {"row", d.row}, {"col", d.column}, {"size_x", d.size_x}, {"size_y", d.size_y}, {"parameter_mappings", d.parameter_mappings},
        {"inline_parameters", d.inline_parameters}, {"visualization_settings", d.visualization_settings}, {"series", integers(d.series)}});
  return out;
}

json::array tabs_state(const DashboardContent& content) {
  json::array out;
  for (auto& tab : content.tabs) out.push_back(json::object{{"id", tab.id.value}, {"name", tab.name}, {"position", tab.position}});
  return out;
}

GridPlace free_place(const std::vector<Dashcard>& taken, std::int64_t size_x, std::int64_t size_y) {
  std::int64_t bottom = 0;
  for (auto& d : taken) bottom = std::max(bottom, d.row + d.size_y);
  for (std::int64_t row = 0; row < bottom; ++row) {
    for (std::int64_t column = 0; column + size_x <= grid_columns; ++column) {
      bool is_free = std::none_of(taken.begin(), taken.end(), [&](const Dashcard& d) {
        return d.column < column + size_x && column < d.column + d.size_x && d.row < row + size_y && row < d.row + d.size_y;
      });
      if (is_free) return {row, column};
    }
  }
  return {bottom, 0};
}

}  // namespace basalt::features
