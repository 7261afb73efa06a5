#include "features/content/query_facts.h"

#include "query/parse.h"

namespace basalt::features {
namespace {

using permissions::CollectionRight;
using permissions::Rights;

// Legacy nesting goes inwards, MBQL 5 starts at the first stage; both end at a table or a card.
void read_source(const json::value& inner, QueryFacts& facts, int depth = 0) {
  if (depth > 50) return;
  if (auto card = json::integer(inner, "source-card")) { facts.source_card = CardId(*card); return; }
  if (auto* table = json::find(inner, "source-table")) {
    if (auto id = json::as_integer(*table); id && *id > 0) facts.table = TableId(*id);
    else if (auto* text = table->if_string(); text && text->starts_with("card__")) {
      auto digits = std::string_view(*text).substr(6);
      if (!digits.empty() && digits.size() < 18 && digits.find_first_not_of("0123456789") == std::string_view::npos) facts.source_card = CardId(std::stoll(std::string(digits)));
    }
    return;
  }
  if (auto* nested = json::find(inner, "source-query")) read_source(*nested, facts, depth + 1);
}

}  // namespace

QueryFacts query_facts(const json::value& query) {
  auto wrong = [](const char* sentence) { return bad_field("dataset_query", sentence); };
  if (!query.is_object() || query.get_object().empty()) throw wrong("value must be a query: a map with database and type, or with stages.");
  QueryFacts facts;
  if (auto database = json::integer(query, "database"); database && *database > 0) facts.database = DatabaseId(*database);
  if (auto* stages = json::sub_array(query, "stages")) {
    if (stages->empty()) throw wrong("A query needs at least one stage.");
    auto& first = (*stages)[0];
    facts.native = json::text(first, "lib/type") == "mbql.stage/native" || json::find(first, "native");
    if (!facts.native) read_source(first, facts);
  } else {
    auto type = json::text(query, "type");
    if (type == "native") {
      if (!json::sub_object(query, "native")) throw wrong("A native query needs `native` with its SQL text in `query`.");
      facts.native = true;
    } else if (type == "query") {
      auto* inner = json::find(query, "query");
      if (!inner || !inner->is_object()) throw wrong("A structured query needs `query` with its clauses.");
      read_source(*inner, facts);
    } else {
      throw wrong("value must have the type \"query\" or \"native\", or stages.");
    }
  }
  if (!facts.database && !facts.source_card) throw wrong("value must name its database.");
  return facts;
}

void require_query_rights(Services& services, const Rights& rights, const json::value& dataset_query) {
  if (rights.is_administrator()) return;
  auto catalog = services.queries.catalog();
  query::Uses uses;
  try {
    uses = query::uses(query::parse_query(dataset_query), *catalog);
  } catch (const Failure& failure) {
    if (failure.kind() != FailureKind::NotFound) throw;
    // Something it names is gone. Without knowing what it reads, only the widest right will do.
    auto facts = query_facts(dataset_query);
    if (!facts.database || rights.whole_database(*facts.database) == permissions::DataRight::None) throw forbidden();
    if (facts.native) rights.require_native(*facts.database);
    return;
  }
  if (uses.native) rights.require_native(uses.database);
  for (auto id : uses.tables) {
    if (auto* table = catalog->table(id)) rights.require_table(table->database, table->schema, id);
  }
  for (auto& use : uses.cards) {
    if (!use.through.empty()) continue;  // reached through a card that the person may see
    auto* card = catalog->card(use.card);
    if (card && rights.collection(card->collection) == CollectionRight::None) throw forbidden();
  }
}

bool may_run(Services& services, const Rights& rights, const json::value& dataset_query) {
  try {
    require_query_rights(services, rights, dataset_query);
    return true;
  } catch (const Failure&) {
    return false;
  }
}

void UsedThings::add(Services& services, const json::value& dataset_query) {
  try {
    auto catalog = services.queries.catalog();
    auto uses = query::uses(query::parse_query(dataset_query), *catalog);
    if (uses.database.value > 0) databases.insert(uses.database);
    tables.insert(uses.tables.begin(), uses.tables.end());
    for (auto& use : uses.cards) {
      if (use.through.empty()) cards.insert(use.card);
    }
  } catch (const Failure&) {
    // A card whose table is gone still shows; it just has no columns to offer.
  }
  if (auto* tags = template_tags(dataset_query)) {
    for (auto& [name, tag] : *tags) {
      if (auto* dimension = json::find(tag, "dimension")) {
        if (auto id = target_field(*dimension, nullptr, nullptr)) fields.insert(*id);
      }
    }
  }
}

const json::object* template_tags(const json::value& query) {
  // Look-ups below go through json::find: sub_object of an object would look into a copy of it.
  auto tags_of = [](const json::value* holder, const char* key) -> const json::object* {
    auto* tags = holder ? json::find(*holder, key) : nullptr;
    return tags ? tags->if_object() : nullptr;
  };
  if (auto* native = json::find(query, "native"); native && native->is_object()) {
    auto* tags = tags_of(native, "template-tags");
    return tags ? tags : tags_of(native, "template_tags");
  }
  if (auto* stages = json::sub_array(query, "stages"); stages && !stages->empty()) return tags_of(&(*stages)[0], "template-tags");
  return nullptr;
}

std::optional<FieldId> target_field(const json::value& target, const json::value& query, const json::value& metadata) {
  auto* parts = target.if_array();
  if (!parts || parts->size() < 2 || !(*parts)[0].is_string()) return std::nullopt;
  auto& head = (*parts)[0].get_string();
  if (head == "dimension") return target_field((*parts)[1], query, metadata);
  if (head == "template-tag") {
    auto* tags = template_tags(query);
    auto* name = (*parts)[1].if_string();
    auto* tag = tags && name ? tags->if_contains(*name) : nullptr;
    auto* dimension = tag ? json::find(*tag, "dimension") : nullptr;
    return dimension ? target_field(*dimension, nullptr, nullptr) : std::nullopt;
  }
  if (head == "field" || head == "field-id") {
    // MBQL 5 writes the options second, MBQL 4 third.
    for (std::size_t i = 1; i < std::min<std::size_t>(parts->size(), 3); ++i) {
      if (auto id = json::as_integer((*parts)[i]); id && *id > 0) return FieldId(*id);
      if (auto* name = (*parts)[i].if_string()) {
        auto* columns = metadata.if_array();
        if (!columns) return std::nullopt;
        for (auto& column : *columns) {
          if (json::text(column, "name") == std::string_view(*name)) {
            auto id = json::integer(column, "id");
            return id ? std::optional(FieldId(*id)) : std::nullopt;
          }
        }
      }
    }
  }
  return std::nullopt;
}

}  // namespace basalt::features
