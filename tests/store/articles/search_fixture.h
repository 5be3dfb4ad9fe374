#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/store_fixture.h"

namespace content::store {

/// The parts of a snippet in one text, the highlighted ones in brackets.
template <class Parts>
std::string Render(const Parts& parts) {
  std::string text;
  for (const v1::SnippetPart& part : parts) {
    EXPECT_FALSE(part.text().empty());
    absl::StrAppend(&text, part.highlighted() ? "[" : "", part.text(),
                    part.highlighted() ? "]" : "");
  }
  return text;
}

/// A store to search, with short ways to add articles and to search.
class SearchTest : public StoreTest {
 protected:
  struct Text {
    std::string title = "Untitled";
    std::string summary = "";
    std::string body = "Nothing.";
    std::string language = "en";
  };

  void Add(const std::string& id, const Text& text) {
    v1::Article article = MakeArticle(id, text.body);
    article.set_title(text.title);
    article.set_summary(text.summary);
    article.set_language_code(text.language);
    const auto published = Publish(article);
    ASSERT_TRUE(published.ok()) << published.status();
  }

  // Ids of the articles found, the most relevant first, or the reason of the error.
  std::vector<std::string> Find(const std::string& text, const std::string& language = "") {
    const auto page = Search({.text = text, .language = language, .page_size = 50});
    if (!page.ok()) return {ReasonOf(page.status())};
    std::vector<std::string> ids;
    for (const auto& result : page->items) {
      ids.push_back(*ParseArticleName(result.article().name()));
    }
    return ids;
  }

  // The snippet of the only article found.
  std::string SnippetOf(const std::string& text) {
    const auto page = Search({.text = text, .page_size = 50});
    if (!page.ok() || page->items.size() != 1) {
      ADD_FAILURE() << page.status();
      return "";
    }
    return Render(page->items[0].snippet());
  }
};

}  // namespace content::store
