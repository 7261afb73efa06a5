#include "release/metadata.h"

#include <gtest/gtest.h>

#include "release/canonical.h"
#include "release/test_feed.h"
#include "release/version.h"

namespace basalt::release {
namespace {

// A list with `signed` as given, signed by these keys.
std::string signed_list(json::object contents, const std::vector<const PrivateKey*>& keys) {
  Document document{"releases", std::move(contents), "", {}};
  document.signed_text = canonical(document.contents);
  for (auto* key : keys) document.signatures.push_back({key->id(), key->sign(document.signed_text)});
  return text_of(document);
}

json::object small_list() {
  return {{"type", "releases"}, {"version", 3}, {"signed_at", "2026-11-20T00:00:00Z"}, {"expires", "2027-02-20T00:00:00Z"},
          {"releases", json::array{json::object{{"version", "0.2.0"}, {"released_at", "2026-11-20T00:00:00Z"}, {"class", "minor"},
                                                {"artefacts", json::array{json::object{{"platform", "linux-x64"}, {"file", "basalt.tar.gz"}, {"sha256", std::string(64, 'a')}, {"bytes", 7}}}}}}}};
}

struct Small : testing::Test {
  TestFeed at;
  Root root = first_root(at.anchor());
  std::string good = signed_list(small_list(), {&at.r});
  std::string refused(const std::string& text) const { return refusal([&] { releases_of(text, root); }); }
  std::string refused_with(const std::function<void(json::object& contents, json::object& release)>& change) const {
    auto contents = small_list();
    auto release = contents["releases"].get_array()[0].get_object();
    change(contents, release);
    if (contents["releases"].is_array() && !contents["releases"].get_array().empty()) contents["releases"].get_array()[0] = release;
    return refused(signed_list(contents, {&at.r}));
  }
};

TEST(Versions, compare_as_numbers) {
  EXPECT_EQ(compare_versions("0.10.0", "0.9.9"), 1);
  EXPECT_EQ(compare_versions("v1.2", "1.2.0"), 0);
  EXPECT_EQ(compare_versions("1.2.0-rc1", "1.2.0"), -1);
  EXPECT_EQ(compare_versions("1.2.0-rc10", "1.2.0-rc9"), 1);
  EXPECT_EQ(compare_versions("1.2.0-rc1.2", "1.2.0-rc1"), 1);
  EXPECT_EQ(compare_versions("1.2.0+5", "1.2.0"), 0);
  for (auto* text : {"", "1.2.3.4", "1..2", "1.", ".1", "-1", "1.-2", "x", "v", "99999999999999999999"}) EXPECT_FALSE(compare_versions(text, "1.2.0")) << text;
}

TEST(Canonical, has_one_text_for_each_tree) {
  for (auto* text : {"{}", "[]", "null", "true", "-7", "0", R"({"a":[1,{"b":"x\n\u0001\"\\/é"}],"b":{}})", R"("")"}) EXPECT_EQ(canonical(parse_canonical(text, "It")), text);
  EXPECT_EQ(canonical(*json::try_parse(R"({"b":1,"a":{"d":[],"c":"\u00e9"}})")), R"({"a":{"c":"é","d":[]},"b":1})");
}

TEST(Canonical, refuses_every_other_text) {
  struct Case { const char *text, *why; };
  for (auto& one : std::vector<Case>{{R"({"a":1,"a":2})", "stands twice"}, {R"({"b":1,"a":2})", "out of order"}, {"{ }", "missing"}, {" 1", "no JSON"}, {"1 ", "follows"}, {"1.0", "follows"}, {"1e2", "follows"},
                                     {"-0", "shortest"}, {"01", "shortest"}, {"1.5", "follows"}, {"99999999999999999999", "no whole number"}, {R"("\u0041")", "shortest"}, {R"("\/")", "shortest"}, {R"("\u001F")", "shortest"},
                                     {R"("\u000a")", "shortest"}, {"\"\xff\"", "UTF-8"}, {"\"\n\"", "shortest"}, {R"(["a",])", "no JSON"}, {R"({"a":1,})", "missing"}, {"", "cut off"}, {R"({"a")", "cut off"}, {R"("a)", "cut off"},
                                     {"[1", "cut off"}, {"nul", "no JSON"}, {"[1 ,2]", "missing"}, {R"({"a":1}x)", "follows"}}) {
    auto sentence = refusal([&] { parse_canonical(one.text, "It"); });
    EXPECT_TRUE(says(sentence, one.why)) << one.text << ": " << sentence;
  }
  EXPECT_TRUE(says(refusal([] { parse_canonical(std::string(100'000, '['), "It"); }), "nested too deep"));
}

TEST_F(Small, reads_what_was_signed) {
  auto list = releases_of(good, root);
  EXPECT_EQ(list.version, 3);
  EXPECT_EQ(list.expires, on("2027-02-20"));
  ASSERT_EQ(list.releases.size(), 1u);
  EXPECT_EQ(list.releases[0].artefact("linux-x64")->file, "basalt.tar.gz");
  EXPECT_EQ(list.releases[0].artefact("linux-arm64"), nullptr);
  EXPECT_EQ(list.find("v0.2"), &list.releases[0]);
  EXPECT_EQ(list.text, good);
}

TEST_F(Small, no_flipped_bit_passes) {
  ASSERT_LT(good.size(), 1000u);
  for (auto* document : {&good}) {
    for (std::size_t i = 0; i < document->size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        auto text = *document;
        text[i] = static_cast<char>(text[i] ^ (1 << bit));
        EXPECT_NE(refused(text), "") << "byte " << i << " bit " << bit << " of " << *document;
      }
    }
  }
}

TEST_F(Small, no_flipped_bit_of_a_root_passes) {
  auto text = at.anchor();
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      text[i] = static_cast<char>(text[i] ^ (1 << bit));
      EXPECT_NE(refusal([&] { first_root(text); }), "") << "byte " << i << " bit " << bit;
      text[i] = static_cast<char>(text[i] ^ (1 << bit));
    }
  }
  EXPECT_EQ(refusal([&] { first_root(text); }), "");
}

TEST_F(Small, nothing_cut_off_or_added_passes) {
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_NE(refused(good.substr(0, size)), "") << size;
  for (std::size_t i = 0; i < good.size(); ++i) EXPECT_NE(refused(good.substr(0, i) + good.substr(i + 1)), "") << i;
  for (char c : {' ', '\n', '\0', '}'}) EXPECT_NE(refused(good + c), "");
  EXPECT_TRUE(says(refused(good.substr(0, good.size() - 1)), "cut off"));
  EXPECT_TRUE(says(refused(std::string(most_document_bytes + 1, ' ')), "longer than 4 MB"));
}

TEST_F(Small, says_what_was_changed_after_signing) {
  auto changed = good;
  changed.replace(changed.find("0.2.0"), 5, "0.3.0");
  EXPECT_EQ(refused(changed), "The signature of the key " + short_id(at.r.id()) + " does not fit: the list of releases was changed after it was signed, so take it anew.");
}

TEST_F(Small, needs_signatures_by_the_right_keys) {
  EXPECT_EQ(refused(signed_list(small_list(), {})), "The list of releases is not signed; it needs 1 signatures by keys of root 1.");
  auto stranger = PrivateKey::generate();
  EXPECT_TRUE(says(refused(signed_list(small_list(), {&stranger})), "is signed by other keys (" + short_id(stranger.id()) + ") than root 1 names (" + short_id(at.r.id()) + ")"));
  // A key that the root knows, but for another role.
  EXPECT_TRUE(says(refused(signed_list(small_list(), {&at.a, &at.b})), "is signed by other keys"));
  // A stranger beside the right one does no harm: keys are replaced that way.
  EXPECT_EQ(refused(signed_list(small_list(), {&at.r, &stranger})), "");
}

TEST_F(Small, a_threshold_counts_keys_and_not_signatures) {
  Root two = root;
  two.releases = {{at.r.id(), at.s.id()}, 2};
  std::sort(two.releases.keyids.begin(), two.releases.keyids.end());
  two.keys[at.s.id()] = at.s.public_key();
  EXPECT_TRUE(says(refusal([&] { releases_of(good, two); }), "is signed by 1 of the 2 keys that root 1 asks for"));
  auto twice = signed_list(small_list(), {&at.r, &at.r});
  EXPECT_TRUE(says(refusal([&] { releases_of(twice, two); }), "is signed twice by the key " + short_id(at.r.id())));
  EXPECT_EQ(refusal([&] { releases_of(signed_list(small_list(), {&at.r, &at.s}), two); }), "");
  auto both = signed_list(small_list(), {&at.r, &at.s});
  auto first = both.substr(both.find('{', 1), both.find('}') - both.find('{', 1) + 1), second = both.substr(both.find("},{") + 2, first.size());
  auto turned = "{\"signatures\":[" + second + "," + first + both.substr(both.find(']'));
  EXPECT_TRUE(says(refusal([&] { releases_of(turned, two); }), "out of order")) << turned;
  // One good and one bad one: half is not let pass as half either.
  auto document = document_of(signed_list(small_list(), {&at.r, &at.s}));
  for (auto& one : document.signatures) if (one.keyid == at.s.id()) one.signature[5] = static_cast<char>(one.signature[5] ^ 1);
  EXPECT_TRUE(says(refusal([&] { releases_of(text_of(document), two); }), "does not fit"));
}

TEST_F(Small, one_document_is_not_taken_for_the_other) {
  EXPECT_EQ(refused(at.anchor()), "This is a root where a list of releases belongs; take releases.json.");
  EXPECT_EQ(refusal([&] { first_root(good); }), "This is a list of releases where a root belongs; take root.json.");
  auto contents = small_list();
  contents["type"] = "root";
  EXPECT_NE(refused(signed_list(contents, {&at.r})), "");
  contents["type"] = "news";
  EXPECT_TRUE(says(refused(signed_list(contents, {&at.r})), "\"type\" must be root or releases"));
}

TEST_F(Small, no_other_algorithm_and_no_other_form_of_a_signature) {
  auto root_with = [&](const std::function<void(json::object& key)>& change) {
    auto document = document_of(at.anchor());
    auto& keys = document.contents["keys"].get_object();
    change(keys.begin()->value().get_object());
    document.signatures.clear();
    document.signed_text = canonical(document.contents);
    for (auto* key : {&at.a, &at.b}) document.signatures.push_back({key->id(), key->sign(document.signed_text)});
    return refusal([&] { first_root(text_of(document)); });
  };
  EXPECT_EQ(root_with([](json::object&) {}), "");
  for (auto* type : {"rsa", "hmac", "none", "ED25519", "ed448"}) EXPECT_TRUE(says(root_with([&](json::object& key) { key["type"] = type; }), "\"type\" must be ed25519, the only kind that counts, not " + std::string(type)));
  EXPECT_TRUE(says(root_with([](json::object& key) { key.erase("type"); }), "\"type\" must be"));
  EXPECT_TRUE(says(root_with([](json::object& key) { key["public"] = base64(std::string(31, 'x')); }), "32 bytes"));
  EXPECT_TRUE(says(root_with([](json::object& key) { key["public"] = base64(std::string(32, 'x')); }), "SHA-256 of the key"));
  auto with = [&](const std::string& from, const std::string& to) {
    auto text = good;
    auto place = text.find(from);
    EXPECT_NE(place, std::string::npos);
    return refused(text.replace(place, from.size(), to));
  };
  EXPECT_TRUE(says(with("\"sig\":", "\"alg\":\"none\",\"sig\":"), "out of order"));
  EXPECT_TRUE(says(with("\"keyid\":", "\"alg\":\"none\",\"keyid\":"), "and nothing else"));
  EXPECT_TRUE(says(with("==\"}", "\"}"), "64 bytes of an Ed25519")) << "the same bytes, written shorter";
  EXPECT_TRUE(says(with("{\"signatures\"", "{\"more\":1,\"signatures\""), "and nothing else"));
}

TEST_F(Small, passes_over_what_it_does_not_know_inside_of_what_is_signed) {
  auto contents = small_list();
  contents["later"] = json::object{{"x", json::array{1, "y", nullptr}}};
  contents["releases"].get_array()[0].get_object()["mood"] = "good";
  auto list = releases_of(signed_list(contents, {&at.r}), root);
  EXPECT_EQ(json::text(json::value(list.releases[0].as_signed), "mood"), "good") << "and keeps it";
}

TEST_F(Small, refuses_what_the_makers_got_wrong_in_a_sentence) {
  struct Case { std::string why; std::function<void(json::object&, json::object&)> change; };
  std::vector<Case> cases{
      {"\"version\" must be a whole number from 1", [](auto& c, auto&) { c["version"] = 0; }},
      {"\"version\" must be a whole number", [](auto& c, auto&) { c["version"] = "3"; }},
      {"\"expires\" must be a time like", [](auto& c, auto&) { c["expires"] = "soon"; }},
      {"\"expires\" must be a text", [](auto& c, auto&) { c.erase("expires"); }},
      {"\"signed_at\" must be", [](auto& c, auto&) { c.erase("signed_at"); }},
      {"\"releases\" must be a list", [](auto& c, auto&) { c["releases"] = 7; }},
      {"at version 0.2.0, is not valid: \"class\" must be security, minor or major", [](auto&, auto& r) { r["class"] = "huge"; }},
      {"\"version\" must be like 1.2.3", [](auto&, auto& r) { r["version"] = "../../etc"; }},
      {"\"version\" must be like 1.2.3", [](auto&, auto& r) { r["version"] = "1.2/3"; }},
      {"\"version\" must be like 1.2.3", [](auto&, auto& r) { r["version"] = "v1.2.3"; }},
      {"\"file\" must be a plain file name", [](auto&, auto& r) { r["artefacts"].get_array()[0].get_object()["file"] = "../basalt"; }},
      {"\"file\" must be a plain file name", [](auto&, auto& r) { r["artefacts"].get_array()[0].get_object()["file"] = ".."; }},
      {"\"file\" must be a plain file name", [](auto&, auto& r) { r["artefacts"].get_array()[0].get_object()["file"] = "http://x/y"; }},
      {"\"sha256\" must be 64", [](auto&, auto& r) { r["artefacts"].get_array()[0].get_object()["sha256"] = std::string(64, 'A'); }},
      {"\"bytes\" must be a whole number", [](auto&, auto& r) { r["artefacts"].get_array()[0].get_object()["bytes"] = -1; }},
      {"names each platform once", [](auto&, auto& r) { r["artefacts"].get_array().push_back(json::value(r["artefacts"].get_array()[0])); }},
      {"\"artefacts\" must be a list", [](auto&, auto& r) { r.erase("artefacts"); }},
      {"\"withdrawn\" must be true or false", [](auto&, auto& r) { r["withdrawn"] = "yes"; }},
      {"\"barrier\" must be true or false", [](auto&, auto& r) { r["barrier"] = 1; }},
      {"\"hours\" must be a whole number from 1", [](auto&, auto& r) { r["waves"] = json::object{{"hours", 0}}; }},
      {"\"compat_from\" must be a version", [](auto&, auto& r) { r["compat_from"] = "old"; }},
      {"\"notes\" must be a text of at most", [](auto&, auto& r) { r["notes"] = std::string(30'000, 'x'); }},
      {"names version 0.2.0 twice", [](auto& c, auto& r) { c["releases"].get_array().push_back(json::value(r)); }},
      {"names version 0.2 twice", [](auto& c, auto& r) { auto other = r; other["version"] = "0.2"; c["releases"].get_array().push_back(json::value(other)); }},
  };
  for (auto& one : cases) {
    auto sentence = refused_with(one.change);
    EXPECT_TRUE(says(sentence, one.why)) << one.why << " but: " << sentence;
    EXPECT_TRUE(sentence.ends_with('.'));
  }
}

TEST_F(Small, expires_to_the_second) {
  auto list = releases_of(good, root);
  EXPECT_EQ(refusal([&] { require_current(list, on("2027-02-19T23:59:59Z")); }), "");
  EXPECT_EQ(refusal([&] { require_current(list, on("2027-02-20T00:00:00Z")); }), "The list of releases has expired on 2027-02-20, and it is 2027-02-20; take a newer one, or the clock of this host is wrong.");
  EXPECT_TRUE(says(refusal([&] { require_current(root, on("2030-01-01")); }), "The root has expired on 2028-11-20"));
}

TEST(Keys, are_what_openssl_makes_and_reads) {
  // RFC 8032, section 7.1, test 2.
  auto from_hex = [](std::string_view text) { std::string out; for (std::size_t i = 0; i < text.size(); i += 2) out += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)); return out; };
  auto key = from_hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  auto signature = from_hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(is_signed("\x72", signature, key));
  EXPECT_FALSE(is_signed("\x73", signature, key));
  EXPECT_FALSE(is_signed("\x72", signature.substr(1), key));
  EXPECT_FALSE(is_signed("\x72", signature, key.substr(1)));
  TestFeed at;
  at.a.write(at.base / "a.pem");
  EXPECT_EQ(PrivateKey::read(at.base / "a.pem").id(), at.a.id());
  EXPECT_EQ(std::filesystem::status(at.base / "a.pem").permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_TRUE(says(refusal([&] { at.b.write(at.base / "a.pem"); }), "never written over"));
  std::filesystem::permissions(at.base / "a.pem", std::filesystem::perms(0644));
  EXPECT_TRUE(says(refusal([&] { PrivateKey::read(at.base / "a.pem"); }), "Others may read"));
  std::ofstream(at.base / "no.pem") << "no key";
  std::filesystem::permissions(at.base / "no.pem", std::filesystem::perms(0600));
  EXPECT_TRUE(says(refusal([&] { PrivateKey::read(at.base / "no.pem"); }), "no Ed25519 private key"));
}

}  // namespace
}  // namespace basalt::release
