// Drift: where the database differs from what Basalt made, because somebody changed it by hand, restored it in parts, or a
// tool helped. Compared by meaning: another name, another spelling or another order is no difference.
#pragma once
#include "upgrade/ledger.h"

namespace basalt::upgrade {

struct Drift {
  enum class Kind {
    Missing,    // something Basalt counts on is not there: nothing is changed before it is back
    Different,  // it is there, but does something else: likewise
    Extra,      // somebody's own: left alone, said only for information
    Unfinished, // work that a change does after it, cut off: the next start or upgrade goes on with it by itself
  };
  Kind kind = Kind::Missing;
  std::string object;    // "table card", "column card.name", "index card (collection_id)", "rule …", "reference …"
  std::string sentence;  // for a person
  std::string repair;    // SQL for this engine that makes it go away; empty when only a backup can, and for what does not block
  bool blocks() const { return kind == Kind::Missing || kind == Kind::Different; }
  json::object to_json() const;  // {kind, object, sentence, repair, blocks}
};

// What differs, in an order in which the repairs can be run one after the other. Some drifts share one repair; running it twice
// does no harm. Reads only; for a store that has its schema. `ledger.structure` is what is expected: without what is pending.
std::vector<Drift> drift(appdb::Connection&, const Ledger&);
// The repairs of what blocks, each once, in order.
std::vector<std::string> repairs(const std::vector<Drift>&);
// Failure Conflict, error type "drift", in one sentence, when something that blocks was found.
void require_no_missing(const std::vector<Drift>&);
inline void require_no_missing(appdb::Connection& c, const Ledger& ledger) { require_no_missing(drift(c, ledger)); }

}  // namespace basalt::upgrade
