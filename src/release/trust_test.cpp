#include "release/trust.h"

#include <gtest/gtest.h>

#include "release/canonical.h"
#include "release/test_feed.h"

namespace basalt::release {
namespace {

std::string refused_at(TestFeed& at, Timestamp now) { return refusal([&] { at.refresh_at(now); }); }
std::string refused(TestFeed& at) { return refused_at(at, at.now); }

TEST(Trust, takes_what_is_signed_and_remembers_it) {
  TestFeed at;
  EXPECT_FALSE(Trust(at.trust, at.anchor()).known(at.now));
  EXPECT_FALSE(std::filesystem::exists(at.trust)) << "looking makes nothing";
  at.publish("0.2.0");
  EXPECT_EQ(at.refresh().newest()->version, "0.2.0");
  EXPECT_EQ(Trust(at.trust, at.anchor()).known(at.now)->newest()->version, "0.2.0");
  EXPECT_EQ(std::filesystem::status(at.trust / "trust.json").permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  at.publish("0.10.0");
  EXPECT_EQ(at.refresh().newest()->version, "0.10.0");
  EXPECT_FALSE(Trust(at.trust, at.anchor()).known(at.later)) << "expired";
}

TEST(Trust, takes_no_list_that_is_older_than_one_it_has_seen) {
  TestFeed at;
  at.publish("0.2.0");
  auto old = at.read("releases.json");
  at.publish("0.3.0");
  at.refresh();
  at.write("releases.json", old);
  EXPECT_EQ(refused(at), "The list of releases at " + at.folder.string() + " has number 1, but number 2 was seen before; an old copy is not taken.");
  EXPECT_EQ(Trust(at.trust, at.anchor()).known(at.now)->newest()->version, "0.3.0") << "what was known stays";
}

TEST(Trust, takes_no_second_list_with_one_number_and_none_that_leaves_the_newest_out) {
  TestFeed at;
  at.publish("0.2.0");
  at.refresh();
  auto document = document_of(at.read("releases.json"));
  auto sign = [&] {
    document.signed_text = canonical(document.contents);
    document.signatures = {{at.r.id(), at.r.sign(document.signed_text)}};
    at.write("releases.json", text_of(document));
  };
  document.contents["signed_at"] = "2026-11-19T00:00:00Z";
  sign();
  EXPECT_TRUE(says(refused(at), "another one with the same number 1"));
  document.contents["version"] = 2;
  document.contents["releases"].get_array().clear();
  sign();
  EXPECT_TRUE(says(refused(at), "does not name version 0.2.0 any more, which was seen before; a version is withdrawn, not left out"));
}

TEST(Trust, refuses_what_expired_and_a_clock_set_back_does_not_help) {
  TestFeed at;
  at.publish("0.2.0");
  at.refresh_at(on("2026-12-01"));
  EXPECT_EQ(refused_at(at, on("2027-03-01")), "The list of releases has expired on 2027-02-20, and it is 2027-03-01; take a newer one, or the clock of this host is wrong.");
  EXPECT_EQ(refused_at(at, on("2026-12-01")), "The clock of this host says 2026-12-01, but it has been 2027-02-20 here already, when the list of releases expired; set the clock, or take a newer list.");
  // What is signed later is taken even by a host whose clock once was far ahead.
  EXPECT_TRUE(says(refused_at(at, on("2099-01-01")), "expired"));
  at.now = on("2026-12-02");
  at.later = on("2027-03-10");
  at.publish("0.3.0");
  EXPECT_EQ(at.refresh().newest()->version, "0.3.0");
  EXPECT_TRUE(says(refused_at(at, on("2026-01-01")), "The clock of this host says 2026-01-01, but the list of releases was signed on 2026-12-02; set the clock."));
}

TEST(Trust, refuses_an_expired_root) {
  TestFeed at;
  at.later = on("2030-01-01");
  at.publish("0.2.0");
  EXPECT_TRUE(says(refused_at(at, on("2029-01-01")), "The root has expired on 2028-11-20"));
}

TEST(Trust, refuses_the_list_of_other_makers) {
  TestFeed at, other;
  at.publish("0.2.0");
  other.publish("0.9.0");
  at.write("releases.json", other.read("releases.json"));
  EXPECT_TRUE(says(refused(at), "is signed by other keys (" + short_id(other.r.id()) + ") than root 1 names (" + short_id(at.r.id()) + "); a list and a root belong together"));
  at.write("root.json", other.read("root.json"));
  EXPECT_TRUE(says(refused(at), "another one with the same number 1"));
}

TEST(Trust, follows_roots_that_enough_old_and_new_keys_signed) {
  TestFeed at;
  at.publish("0.2.0");
  at.refresh();
  auto anchor = at.anchor();
  auto d = PrivateKey::generate();
  // c leaves, d comes; s signs lists from now on.
  at.feed.draft_root({{at.a.public_key(), at.b.public_key(), d.public_key()}, 2}, {{at.s.public_key()}, 1}, at.much_later);
  at.feed.sign(d);
  at.feed.sign(at.a);
  EXPECT_FALSE(std::filesystem::exists(at.folder / "2.root.json")) << "two of its own keys, but one of the old ones";
  EXPECT_EQ(at.refresh().version, 1);
  at.feed.sign(at.c);
  EXPECT_TRUE(std::filesystem::exists(at.folder / "2.root.json"));
  EXPECT_TRUE(says(refused(at), "is signed by other keys")) << "the list is still signed by the key that is not named any more";
  at.feed.renew(at.now, at.later);
  EXPECT_TRUE(says(refusal([&] { at.feed.sign(at.r); }), "no draft")) << "r may not sign any more";
  at.feed.sign(at.s);
  EXPECT_EQ(at.refresh().version, 2);
  // Never back to the root of before, not even when the newer one is hidden.
  auto second = at.read("2.root.json"), list = at.read("releases.json");
  std::filesystem::remove(at.folder / "2.root.json");
  at.write("root.json", anchor);
  EXPECT_TRUE(says(refused(at), "has number 1, but number 2 was seen before"));
  std::filesystem::remove(at.folder / "root.json");
  EXPECT_EQ(at.refresh().version, 2) << "the newer root is kept here";
  // Who comes later follows all the way.
  at.write("root.json", second);
  at.write("2.root.json", second);
  EXPECT_EQ(Trust(at.base / "late", anchor).refresh(*open_source(at.folder.string()), at.now).version, 2);
  // A newer program brings the newer root along, and an older one comes back: the same makers, nothing is forgotten.
  EXPECT_EQ(Trust(at.trust, second).known(at.now)->version, 2);
  EXPECT_EQ(Trust(at.trust, anchor).known(at.now)->version, 2);
  EXPECT_EQ(at.read("releases.json"), list);
}

TEST(Trust, keeps_a_root_that_takes_keys_back_even_when_the_list_is_bad) {
  TestFeed at;
  at.publish("0.2.0");
  at.refresh();
  auto old_list = at.read("releases.json");
  at.feed.draft_root({{at.a.public_key(), at.b.public_key(), at.c.public_key()}, 2}, {{at.s.public_key()}, 1}, at.much_later);
  at.feed.sign(at.a);
  at.feed.sign(at.b);
  EXPECT_NE(refused(at), "");
  // The thief of r hides the new root and signs a list of its own.
  at.write("root.json", at.anchor());
  std::filesystem::remove(at.folder / "2.root.json");
  std::filesystem::remove(at.folder / "root.json");
  EXPECT_TRUE(says(refused(at), "is signed by other keys")) << "r counts no more";
}

TEST(Trust, refuses_a_root_that_is_skipped_half_signed_or_signed_by_strangers) {
  TestFeed at;
  at.publish("0.2.0");
  auto root = [&](std::int64_t version, const std::vector<const PrivateKey*>& keys) {
    auto document = document_of(at.anchor());
    document.contents["version"] = version;
    document.signed_text = canonical(document.contents);
    document.signatures.clear();
    for (auto* key : keys) document.signatures.push_back({key->id(), key->sign(document.signed_text)});
    return text_of(document);
  };
  at.write("2.root.json", root(2, {&at.a}));
  EXPECT_TRUE(says(refused(at), "The root is signed by 1 of the 2 keys that root 1 asks for"));
  at.write("2.root.json", root(2, {&at.r, &at.s}));
  EXPECT_TRUE(says(refused(at), "The root is signed by other keys"));
  at.write("2.root.json", root(3, {&at.a, &at.b}));
  EXPECT_TRUE(says(refused(at), "The root has number 3 where number 2 must follow"));
  std::filesystem::remove(at.folder / "2.root.json");
  at.write("root.json", root(3, {&at.a, &at.b}));
  EXPECT_TRUE(says(refused(at), "2.root.json is missing on the way there"));
  at.write("root.json", root(2, {&at.a, &at.b}));
  EXPECT_EQ(refused(at), "") << "the next one may stand there alone";
}

TEST(Trust, begins_anew_when_other_makers_are_chosen) {
  TestFeed at, other;
  at.publish("0.9.0");
  at.publish("1.0.0");
  at.refresh();
  other.publish("0.2.0");
  EXPECT_FALSE(Trust(at.trust, other.anchor()).known(at.now));
  EXPECT_EQ(Trust(at.trust, other.anchor()).refresh(*open_source(other.folder.string()), at.now).newest()->version, "0.2.0");
}

TEST(Trust, says_when_what_it_remembers_is_damaged) {
  TestFeed at;
  at.publish("0.2.0");
  at.refresh();
  for (auto* text : {"", "{}", "[1]", R"({"root":"x","releases":"","anchors":[],"seen_at":"2026-01-01"})"}) {
    std::ofstream(at.trust / "trust.json", std::ios::trunc) << text;
    EXPECT_TRUE(says(refused(at), "trust.json is damaged")) << text;
  }
}

TEST(Trust, wants_a_root_to_begin_with) {
  TestFeed at;
  EXPECT_NE(refusal([&] { Trust(at.trust, ""); }), "");
  EXPECT_TRUE(says(refusal([&] { at.publish("0.2.0"); Trust(at.trust, at.read("releases.json")); }), "take root.json"));
  EXPECT_TRUE(says(refusal([&] { std::filesystem::remove(at.folder / "releases.json"); at.refresh(); }), "There is no releases.json at"));
}

TEST(Artefact, is_taken_only_as_it_was_signed) {
  TestFeed at;
  at.publish("0.2.0", "the program");
  auto source = open_source(at.folder.string());
  auto release = *at.refresh().newest();
  auto name = release.artefacts[0].file;
  auto to = at.base / "got";
  auto fetched = [&] { return refusal([&] { fetch_artefact(*source, release, "linux-x64", to); }); };
  std::int64_t told = 0;
  fetch_artefact(*source, release, "linux-x64", to, [&](std::int64_t done, std::int64_t) { told = done; });
  EXPECT_EQ(told, 11);
  EXPECT_EQ(measured(to).sha256, sha256_hex("the program"));
  at.write(name, "something else");
  EXPECT_EQ(fetched(), "") << "what is there already and fits is not fetched again";
  std::ofstream(to, std::ios::trunc) << "half";
  EXPECT_TRUE(says(fetched(), "is longer than the 11 bytes that were signed")) << fetched();
  EXPECT_FALSE(std::filesystem::exists(to));
  at.write(name, "the pr");
  EXPECT_TRUE(says(fetched(), "has 6 bytes where 11 were signed; it was cut"));
  at.write(name, "the PROGRAM");
  EXPECT_TRUE(says(fetched(), "is not the one that was signed for version 0.2.0"));
  std::filesystem::remove(at.folder / name);
  EXPECT_TRUE(says(fetched(), "There is no file"));
  EXPECT_TRUE(says(refusal([&] { fetch_artefact(*source, release, "linux-arm64", to); }), "has no artefact for linux-arm64; there is one for linux-x64"));
  for (auto& left : std::filesystem::directory_iterator(at.base)) EXPECT_EQ(left.path().filename().string().find("arriving"), std::string::npos) << left.path();
  std::ofstream(to) << "the PROGRAM";
  EXPECT_TRUE(says(refusal([&] { require_artefact(to, release, "linux-x64"); }), "its SHA-256 is another"));
}

TEST(Bundle, holds_all_that_a_host_without_a_network_needs) {
  TestFeed at;
  at.publish("0.2.0", std::string(300'000, 'p'));
  auto file = at.base / "basalt.bundle";
  at.feed.bundle("0.2.0", "linux-x64", file);
  EXPECT_TRUE(says(refusal([&] { at.feed.bundle("0.2.0", "linux-x64", file); }), "exists already"));
  EXPECT_TRUE(says(refusal([&] { at.feed.bundle("0.2.0", "linux-arm64", at.base / "x"); }), "no artefact for linux-arm64"));
  auto bundle = open_bundle(file);
  auto list = Trust(at.trust, at.anchor()).refresh(*bundle, at.now);
  fetch_artefact(*bundle, *list.newest(), "linux-x64", at.base / "got");
  EXPECT_EQ(measured(at.base / "got").bytes, 300'000);
  // The same refusals as over the network: an old bundle, a swapped byte in the artefact, one cut off.
  at.publish("0.3.0");
  at.refresh();
  EXPECT_TRUE(says(refusal([&] { Trust(at.trust, at.anchor()).refresh(*bundle, at.now); }), "an old copy is not taken"));
  std::string bytes;
  { std::ifstream in(file, std::ios::binary); bytes.assign(std::istreambuf_iterator<char>(in), {}); }
  auto swapped = bytes;
  swapped[swapped.find("pppp") + 1000] = 'q';
  std::ofstream(at.base / "swapped", std::ios::binary) << swapped;
  EXPECT_TRUE(says(refusal([&] { fetch_artefact(*open_bundle(at.base / "swapped"), *list.newest(), "linux-x64", at.base / "got2"); }), "is not the one that was signed"));
  std::ofstream(at.base / "cut", std::ios::binary) << bytes.substr(0, 200'000);
  EXPECT_NE(refusal([&] { fetch_artefact(*open_bundle(at.base / "cut"), *list.newest(), "linux-x64", at.base / "got2"); }), "");
  EXPECT_FALSE(std::filesystem::exists(at.base / "got2"));
  std::ofstream(at.base / "empty", std::ios::binary) << "";
  EXPECT_NE(refusal([&] { Trust(at.base / "t2", at.anchor()).refresh(*open_bundle(at.base / "empty"), at.now); }), "");
}

TEST(Feed, changes_in_drafts_that_nobody_is_served) {
  TestFeed at;
  at.publish("0.2.0");
  EXPECT_TRUE(says(refusal([&] { at.publish("0.2.0", "other"); }), "is published already"));
  at.feed.withdraw("0.2.0", "It loses rows.", at.now, at.later);
  EXPECT_FALSE(at.refresh().newest()->withdrawn) << "not signed yet";
  EXPECT_TRUE(says(at.feed.sign(at.r)[0], "has 1 of 1 signatures; it is published."));
  EXPECT_EQ(at.refresh().newest()->withdrawn_why, "It loses rows.");
  EXPECT_EQ(at.feed.check(at.now).size(), 3u);
  EXPECT_TRUE(says(refusal([&] { at.feed.check(at.later); }), "expired"));
  EXPECT_TRUE(says(refusal([&] { at.feed.add({TestFeed::entry("0.3.0", "huge"), {}}, at.now, at.later); }), "security, minor or major"));
  at.publish("0.4.0", "abc");
  EXPECT_EQ(at.feed.check(at.now).size(), 4u);
  at.write("basalt-0.4.0-linux-x64.tar.gz", "abd");
  EXPECT_TRUE(says(refusal([&] { at.feed.check(at.now); }), "its SHA-256 is another"));
}

}  // namespace
}  // namespace basalt::release
