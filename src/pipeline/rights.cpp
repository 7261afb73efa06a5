#include "pipeline/rights.h"

#include "base/failure.h"

namespace basalt::pipeline {
namespace {

using permissions::CollectionRight;
using permissions::DataRight;

Failure missing(const char* sentence) {
  return Failure(FailureKind::Forbidden, sentence).with_error_type("missing-required-permissions");
}

void require_card(CardId id, query::Catalog& catalog, const permissions::Rights& rights) {
  auto* card = catalog.card(id);
  if (!card) throw not_found();
  if (rights.collection(card->collection) < CollectionRight::View) throw missing("You don't have permissions to view a question that this query uses.");
}

}  // namespace

void require_rights(const query::Uses& uses, const std::optional<CardId>& card, query::Catalog& catalog, const permissions::Rights& rights) {
  if (card) {
    auto* saved = catalog.card(*card);
    if (!saved) throw not_found();
    if (rights.collection(saved->collection) < CollectionRight::View) throw forbidden();
    return;
  }
  if (uses.native && rights.whole_database(uses.database) < DataRight::BuilderAndSql)
    throw missing("You don't have permissions to run SQL on this database.");
  for (auto id : uses.tables) {
    auto* table = catalog.table(id);
    if (!table) throw Failure(FailureKind::NotFound, "A table that this query uses is gone.");
    if (rights.table(table->database, table->schema, id) < DataRight::Builder)
      throw missing("You do not have permissions to run this query.");
  }
  for (auto& use : uses.cards) {
    if (use.through.empty()) require_card(use.card, catalog, rights);
  }
}

}  // namespace basalt::pipeline
