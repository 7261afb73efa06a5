// What a stored or received query says about itself, and whether somebody may run it.
#pragma once
#include "features/content/objects.h"
#include "query/uses.h"

namespace basalt::features {

struct QueryFacts {
  bool native = false;
  std::optional<DatabaseId> database;       // absent when it says "saved questions": see resolve_database
  std::optional<TableId> table;             // the innermost source table
  std::optional<CardId> source_card;        // the card it starts from
};
// Reads both forms (MBQL 4 and 5, structured and native) by their outline; BadRequest at `dataset_query` when it has none.
QueryFacts query_facts(const json::value& dataset_query);

// Throws Forbidden when the person may not run the query: native SQL, a table, or a card in a collection they do not see.
// A query that does not parse is BadRequest; one that names things that are gone passes (running it says so).
void require_query_rights(Services& services, const permissions::Rights& rights, const json::value& dataset_query);
bool may_run(Services& services, const permissions::Rights& rights, const json::value& dataset_query);

// Tables, databases, fields and cards that queries use, for query_metadata; queries that do not parse add nothing.
struct UsedThings {
  std::set<TableId> tables;
  std::set<DatabaseId> databases;
  std::set<FieldId> fields;
  std::set<CardId> cards;
  void add(Services& services, const json::value& dataset_query);
};

// The native part's template tags, in either form; nullptr when there are none.
const json::object* template_tags(const json::value& dataset_query);
// The field that a parameter's target means: by id, through a field-filter tag, or by a column's name in result_metadata.
std::optional<FieldId> target_field(const json::value& target, const json::value& dataset_query, const json::value& result_metadata);

}  // namespace basalt::features
