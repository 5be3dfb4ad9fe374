#include "base/trace_context.h"

#include <gtest/gtest.h>

#include <string>

namespace content {
namespace {

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kParent[] = "00f067aa0ba902b7";

std::string Header(const std::string& version, const std::string& trace, const std::string& parent,
                   const std::string& flags) {
  return version + "-" + trace + "-" + parent + "-" + flags;
}

TEST(ParseTraceparent, ReadsTheIdsAndWhetherTheTraceIsSampled) {
  const auto context = ParseTraceparent(Header("00", kTrace, kParent, "01"));
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(context->trace_id, kTrace);
  EXPECT_EQ(context->parent_id, kParent);
  EXPECT_TRUE(context->is_sampled);
  for (const char* const flags : {"00", "02", "fe", "a0"}) {
    EXPECT_FALSE(ParseTraceparent(Header("00", kTrace, kParent, flags))->is_sampled) << flags;
  }
  for (const char* const flags : {"03", "0b", "0f", "ff"}) {
    EXPECT_TRUE(ParseTraceparent(Header("00", kTrace, kParent, flags))->is_sampled) << flags;
  }
}

TEST(ParseTraceparent, ReadsWhatLaterVersionsHaveInCommonWithTheFirst) {
  for (const char* const version : {"01", "cc", "fe"}) {
    const std::string header = Header(version, kTrace, kParent, "01");
    EXPECT_TRUE(ParseTraceparent(header).has_value());
    EXPECT_TRUE(ParseTraceparent(header + "-what-the-future-will-be-like").has_value());
    EXPECT_FALSE(ParseTraceparent(header + ".what-the-future-will-be-like").has_value());
    EXPECT_FALSE(ParseTraceparent(header + "0").has_value());
  }
}

TEST(ParseTraceparent, RefusesWhatIsNotValid) {
  const std::string zeros(32, '0');
  for (const std::string& header :
       {std::string(),
        std::string("00"),
        std::string(55, '-'),
        std::string(55, '0'),
        Header("ff", kTrace, kParent, "01"),
        Header("0", kTrace, kParent, "01"),
        Header("0G", kTrace, kParent, "01"),
        Header("00", zeros, kParent, "01"),
        Header("00", kTrace, zeros.substr(0, 16), "01"),
        Header("00", "4BF92F3577B34DA6A3CE929D0E0E4736", kParent, "01"),
        Header("00", kTrace, "00F067AA0BA902B7", "01"),
        Header("00", kTrace, kParent, "0A"),
        Header("00", kTrace, kParent, "1"),
        Header("00", kTrace, kParent, "011"),
        Header("00", kTrace, kParent, "0x"),
        Header("00", kTrace, kParent, "01") + "-",
        Header("00", kTrace, kParent, "01") + "-00",
        Header("00", kTrace + 1, "0" + std::string(kParent), "01"),
        Header("00", kTrace, kParent, "01") + " ",
        " " + Header("00", kTrace, kParent, "01"),
        Header("00", "4bf92f3577b34da6a3ce929d0e0e473'", kParent, "01")}) {
    EXPECT_FALSE(ParseTraceparent(header).has_value()) << header;
  }
}

}  // namespace
}  // namespace content
