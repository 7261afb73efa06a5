// What a query reads, so that rights can be asked before anything runs.
#pragma once
#include <vector>

#include "query/catalog.h"
#include "query/query.h"

namespace basalt::query {

struct CardUse {
  CardId card;
  std::vector<CardId> through;    // the cards it was reached through, outermost first; empty: named by the query itself
};

struct Uses {
  DatabaseId database;            // the real one, also when the query says "saved questions"
  bool native = false;            // SQL written in the query itself, not in a card
  std::vector<TableId> tables;    // tables the query itself names or joins, implicit joins and display values included
  std::vector<CardUse> cards;     // the query's own and, through them, nested ones
  std::vector<TableId> tables_in_cards;  // tables read only because a card reads them
};

// Throws Failure NotFound for a table, field or card that is gone, BadRequest for cards that use each other in a circle.
// `parameters`: values that will be applied besides those in the query; their targets may reach other tables.
Uses uses(const Query& query, Catalog& catalog, const json::array& parameters = {});

}  // namespace basalt::query
