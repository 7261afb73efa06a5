// A store that is only looked at: for plans, status and the doctor, which must not change a byte of what they report on.
#pragma once
#include "appdb/store.h"

namespace basalt::appdb {

// Like Store::open, but makes nothing and writes nothing: no file, no folder, no schema; a log that a crash left stays as it is.
// Where there is no data, it shows an empty store. write() and whatever else writes is a Failure Bug. One thread.
std::unique_ptr<Store> open_to_look(StoreOptions options);

}  // namespace basalt::appdb
