#include "http/statusz/html.h"

#include <gtest/gtest.h>

#include <string>

namespace content::statusz {
namespace {

TEST(HtmlTest, TextIsEscaped) {
  EXPECT_EQ(Html("<b a='1' c=\"2\"> & </b>").markup(),
            "&lt;b a='1' c=&quot;2&quot;&gt; &amp; &lt;/b&gt;");
  EXPECT_EQ(Html("Äpfel, 苹果, 🍎").markup(), "Äpfel, 苹果, 🍎");
}

TEST(HtmlTest, ValuesOfAttributesAreEscaped) {
  EXPECT_EQ(Element("p", {{"title", "\"><script>"}}, "x").markup(),
            "<p title=\"&quot;&gt;&lt;script&gt;\">x</p>");
}

TEST(HtmlTest, WhatXmlDoesNotAllowOrIsNotShownIsReplaced) {
  EXPECT_EQ(Html(std::string("a\0b\x1B\x7F", 5)).markup(), "a\uFFFDb\uFFFD\uFFFD");
  EXPECT_EQ(Html("\xFF\xC3").markup(), "\uFFFD\uFFFD");
  EXPECT_EQ(Html("\u202Etxt.exe\u2066\uFFFE").markup(), "\uFFFDtxt.exe\uFFFD\uFFFD");
}

TEST(HtmlTest, ElementsContainElements) {
  EXPECT_EQ(Element("ul", Element("li", "1") + Element("li", "2")).markup(),
            "<ul><li>1</li><li>2</li></ul>");
  EXPECT_EQ(EmptyElement("meta", {{"charset", "utf-8"}}).markup(), "<meta charset=\"utf-8\"/>");
}

}  // namespace
}  // namespace content::statusz
