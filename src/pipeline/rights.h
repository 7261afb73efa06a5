// May this person run this query? The one place that decides.
#pragma once
#include <optional>

#include "permissions/rights.h"
#include "query/catalog.h"
#include "query/uses.h"

namespace basalt::pipeline {

// Throws Failure Forbidden with error_type "missing-required-permissions" when the person may not run a query that uses `uses`.
// - a saved card (`card` set): the right to view its collection suffices, whatever it reads;
// - an ad-hoc query: SQL of its own needs the right to write SQL on the whole database; each table it names or joins the right to
//   query it; each card it names the right to view that card's collection (what the card reads is then the card's affair).
void require_rights(const query::Uses& uses, const std::optional<CardId>& card, query::Catalog& catalog, const permissions::Rights& rights);

}  // namespace basalt::pipeline
