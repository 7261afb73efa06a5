// Cards: stored questions, models and metrics.
#pragma once
#include "features/collections/collections.h"
#include "features/content/query_facts.h"

namespace basalt::features {

// Columns of card for SELECT under an alias, without those of the people joined in.
std::string card_columns(std::string_view alias);
// SELECT … FROM card c with creator, editor and dashboard name joined: what card_json reads. Add WHERE and so on.
std::string select_cards();

// The columns of a card as JSON: all that a card inside a dashcard has.
json::object card_columns_json(const appdb::Row& row, const permissions::Rights& rights);
// With creator, last-edit-info and collection, as rows of GET /api/card.
json::object card_row_json(const appdb::Row& row, const permissions::Rights& rights, const Collections& collections);
// The full object of GET /api/card/:id; reads what else it needs. NotFound when the person may not view it.
json::object card_json(Services& services, const permissions::Rights& rights, CardId id);
// What a revision keeps.
json::object card_state(const appdb::Row& row);

// The row of select_cards(); NotFound when there is none or the person may not view its collection.
appdb::Row require_card(appdb::Connection& connection, const permissions::Rights& rights, CardId id);
permissions::CollectionRight card_right(const appdb::Row& row, const permissions::Rights& rights);

struct CardSize {
  std::optional<std::int64_t> size_x, size_y;
  static constexpr auto fields() { return json_fields(field("size_x", &CardSize::size_x, positive), field("size_y", &CardSize::size_y, positive)); }
};

struct NewCard {
  std::string name, display;
  json::value dataset_query;
  json::object visualization_settings;
  std::optional<std::string> type, description, entity_id;
  Patch<json::value> collection_id;
  std::optional<std::int64_t> collection_position, cache_ttl;
  std::optional<json::array> parameters, parameter_mappings, result_metadata;
  std::optional<DashboardId> dashboard_id;
  std::optional<DashboardTabId> dashboard_tab_id;
  std::optional<bool> dataset;                       // the old name of type "model"
  std::optional<CardSize> size;
  static constexpr auto fields() {
    return json_fields(field("name", &NewCard::name, object_name), field("display", &NewCard::display, not_blank), field("dataset_query", &NewCard::dataset_query),
                       field("visualization_settings", &NewCard::visualization_settings), field("type", &NewCard::type),
                       field("description", &NewCard::description, description_text), field("entity_id", &NewCard::entity_id),
                       field("collection_id", &NewCard::collection_id), field("collection_position", &NewCard::collection_position, positive),
                       field("cache_ttl", &NewCard::cache_ttl, positive), field("parameters", &NewCard::parameters),
                       field("parameter_mappings", &NewCard::parameter_mappings), field("result_metadata", &NewCard::result_metadata),
                       field("dashboard_id", &NewCard::dashboard_id), field("dashboard_tab_id", &NewCard::dashboard_tab_id),
                       field("dataset", &NewCard::dataset), field("size", &NewCard::size));
  }
};

struct CardChange {
  std::optional<std::string> name, display, type;
  std::optional<json::object> dataset_query, visualization_settings;
  Patch<std::string> description;
  Patch<json::value> collection_id;
  Patch<std::int64_t> collection_position, cache_ttl;
  Patch<DashboardId> dashboard_id;
  Patch<json::array> result_metadata;
  Patch<json::object> embedding_params;
  std::optional<json::array> parameters, parameter_mappings;
  std::optional<bool> archived, enable_embedding, collection_preview, dataset;
  static constexpr auto fields() {
    return json_fields(field("name", &CardChange::name, object_name), field("display", &CardChange::display, not_blank), field("type", &CardChange::type),
                       field("dataset_query", &CardChange::dataset_query), field("visualization_settings", &CardChange::visualization_settings),
                       field("description", &CardChange::description), field("collection_id", &CardChange::collection_id),
                       field("collection_position", &CardChange::collection_position, positive), field("cache_ttl", &CardChange::cache_ttl, positive),
                       field("dashboard_id", &CardChange::dashboard_id), field("result_metadata", &CardChange::result_metadata),
                       field("embedding_params", &CardChange::embedding_params), field("parameters", &CardChange::parameters),
                       field("parameter_mappings", &CardChange::parameter_mappings), field("archived", &CardChange::archived),
                       field("enable_embedding", &CardChange::enable_embedding), field("collection_preview", &CardChange::collection_preview),
                       field("dataset", &CardChange::dataset));
  }
};

// Checks rights and the query, computes result_metadata where the client sent none (may run native SQL with LIMIT 0: call it
// on the query pool), stores, keeps a revision.
CardId create_card(Services& services, const permissions::Rights& rights, const NewCard& wanted);
enum class OldDashcards { Keep, Delete };   // of a card that becomes a dashboard's own
void change_card(Services& services, const permissions::Rights& rights, CardId id, const CardChange& change, OldDashcards old_dashcards);
CardId copy_card(Services& services, const permissions::Rights& rights, CardId id);
// Inside a write transaction; the caller has asked for the rights.
CardId insert_card_copy(appdb::Connection& connection, PersonId person, const appdb::Row& card, const std::string& name,
                        std::optional<CollectionId> collection, std::optional<DashboardId> dashboard, Timestamp now);
void delete_card(Services& services, const permissions::Rights& rights, CardId id);
// All of them or none.
void move_cards(Services& services, const permissions::Rights& rights, const std::vector<CardId>& cards, std::optional<CollectionId> to);
// Sets a card to what a revision kept.
void revert_card(Services& services, const permissions::Rights& rights, CardId id, RevisionId revision);

}  // namespace basalt::features
