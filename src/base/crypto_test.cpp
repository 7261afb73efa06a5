#include "base/crypto.h"

#include <gtest/gtest.h>

#include "base/failure.h"

namespace basalt {
namespace {

TEST(Crypto, hashes_as_the_standard_says) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-4
  Sha256 pieces;
  for (auto* piece : {"a", "", "bc"}) pieces.add(piece);
  EXPECT_EQ(hex(pieces.finish()), sha256_hex("abc"));
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");  // RFC 4231
}

TEST(Crypto, base64_goes_there_and_back) {
  for (std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) EXPECT_EQ(from_base64(base64(text)), text);
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(from_base64("_-8"), std::string("\xff\xef"));
  EXPECT_FALSE(from_base64("a"));
  EXPECT_FALSE(from_base64("a b="));
}

TEST(Sealer, opens_what_it_sealed_and_seals_differently_each_time) {
  Sealer sealer("a secret of 16 characters or more");
  auto once = sealer.seal("pass word"), twice = sealer.seal("pass word");
  EXPECT_NE(once, twice);
  EXPECT_EQ(once.find("pass"), std::string::npos);
  EXPECT_EQ(sealer.open(once), "pass word");
  EXPECT_EQ(sealer.open(sealer.seal("")), "");
}

TEST(Sealer, leaves_text_alone_without_a_key) {
  Sealer none(std::nullopt);
  EXPECT_EQ(none.seal("x"), "x");
  EXPECT_EQ(none.open("x"), "x");
}

TEST(Sealer, refuses_a_wrong_key_a_missing_key_and_damage) {
  auto sealed = Sealer("a secret of 16 characters or more").seal("x");
  EXPECT_THROW(Sealer("another secret, also long enough").open(sealed), Failure);
  EXPECT_THROW(Sealer(std::nullopt).open(sealed), Failure);
  sealed[sealed.size() - 4] = sealed[sealed.size() - 4] == 'A' ? 'B' : 'A';
  EXPECT_THROW(Sealer("a secret of 16 characters or more").open(sealed), Failure);
  EXPECT_THROW(Sealer("short"), Failure);
}

}  // namespace
}  // namespace basalt
