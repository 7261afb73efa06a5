// What the data is, in one number: equal for equal content, whatever the engine, the order of rows, and how it came to be.
#pragma once
#include "upgrade/fingerprint.h"
#include "upgrade/ledger.h"

namespace basalt::upgrade {

struct DataState {
  bool present = false;          // false: an empty store, everything else empty
  int schema = 0;
  std::string phase;             // {"level":4,"pending":[]}: how far the schema is in effect
  struct Entry { std::string table; Fingerprint fingerprint; };
  std::vector<Entry> tables;     // content, by name: all that a backup holds, except the bookkeeping of upgrades
  Fingerprint parked;            // upgrade_park without its own ids, times and runs
  std::string root;              // SHA-256 in hex over all of the above
  json::object to_json() const;
};
// Reads everything once, in constant memory; within one transaction of the caller's it is one moment. Changes nothing.
DataState data_state(appdb::Connection&);

}  // namespace basalt::upgrade
