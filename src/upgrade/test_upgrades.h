// A fresh store at this binary's schema, for any folder's tests. Header only.
#pragma once
#include "appdb/test_stores.h"
#include "migrations/all.h"
#include "upgrade/upgrade.h"

namespace basalt::upgrade {

// Opens a throw-away store and brings it to schema `all()`. Keep `stores` alive as long as the store.
inline std::unique_ptr<appdb::Store> open_fresh(const appdb::TestStores& stores) {
  auto store = stores.open();
  auto known = migrations::all();
  Context context{*store, known, stores.folder()};
  up(context);
  return store;
}

}  // namespace basalt::upgrade
