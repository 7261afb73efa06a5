// A fresh store at this binary's schema, for any folder's tests. Header only.
#pragma once
#include <cstdlib>
#include <iostream>
#include <random>

#include "appdb/test_stores.h"
#include "migrations/all.h"
#include "upgrade/upgrade.h"

#if defined(__has_feature)  // clang
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1  // as g++ says it
#endif
#endif

namespace basalt::upgrade {

// Which edges of a run a test dies at: all of them; under sanitizers, where a run takes seconds, every fifth from a random one
// on, unless BASALT_ALL_EDGES is set. tests/chaos kills the real program at many more places.
struct Edges {
  int first = 0, step = 1;
  Edges() {
#ifdef __SANITIZE_ADDRESS__
    if (std::getenv("BASALT_ALL_EDGES")) return;
    step = 5;
    std::random_device device;
    first = std::uniform_int_distribution<int>(0, step - 1)(device);
    std::cout << "every " << step << "th edge from " << first << "\n";
#endif
  }
};

// Opens a throw-away store and brings it to schema `all()`. Keep `stores` alive as long as the store.
inline std::unique_ptr<appdb::Store> open_fresh(const appdb::TestStores& stores) {
  auto store = stores.open();
  auto known = migrations::all();
  Context context{*store, known, stores.folder()};
  up(context);
  return store;
}

}  // namespace basalt::upgrade
