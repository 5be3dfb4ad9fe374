#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "content/text.h"
#include "google/protobuf/util/field_mask_util.h"
#include "google/protobuf/util/time_util.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::IsEmpty;

class UpdateArticleTest : public StoreTest {};

// One field of the article, as text.
std::string Field(const v1::Article& article, const std::string& name) {
  const auto* const field = article.GetDescriptor()->FindFieldByName(name);
  v1::Article only;
  google::protobuf::FieldMask mask;
  mask.add_paths(name);
  google::protobuf::util::FieldMaskUtil::MergeMessageTo(article, mask, {}, &only);
  return absl::StrCat(field->name(), ": ", only.ShortDebugString());
}

TEST_F(UpdateArticleTest, ChangesOnlyTheFieldsInTheMask) {
  const std::vector<std::string>& fields = ChangeableArticleFields();
  for (const std::string& changed : fields) {
    SCOPED_TRACE(changed);
    const std::string id = absl::StrCat(Slug(changed), "-article");
    ASSERT_TRUE(Publish(MakeArticle(id)).ok());
    const v1::Article before = GetOne(id);
    ASSERT_NE(Field(MakeOtherArticle(), changed), Field(before, changed))
        << "give the field another value in MakeOtherArticle (store_fixture)";
    const auto updated = Edit({.id = id, .article = MakeOtherArticle(), .paths = {changed}});
    ASSERT_TRUE(updated.ok()) << updated.status();
    const v1::Article after = GetOne(id);
    EXPECT_EQ(after.SerializeAsString(), updated->SerializeAsString());
    for (const std::string& field : fields) {
      EXPECT_EQ(Field(after, field), Field(field == changed ? MakeOtherArticle() : before, field));
    }
    EXPECT_EQ(after.name(), before.name());
    EXPECT_EQ(after.revision(), 2);
    EXPECT_EQ(after.sections_size(), changed == "body" ? 2 : 1);
    EXPECT_EQ(after.word_count(), changed == "body" ? 5 : 2);
    const bool is_text = changed != "publish_time" && changed != "comment_policy";
    EXPECT_EQ(after.etag(), is_text ? "2" : "1");
    EXPECT_EQ(after.update_time() != before.update_time(), is_text);
  }
}

TEST_F(UpdateArticleTest, AnUpdateOfAllFieldsClearsUnsetOnes) {
  v1::Article full = MakeOtherArticle();
  full.set_name("articles/full");
  ASSERT_TRUE(CompleteArticle("article", full).ok());
  ASSERT_TRUE(Publish(full).ok());
  v1::Article least;
  least.set_title("Least");
  least.set_body("Text.");
  const auto updated = Edit({.id = "full", .article = least, .paths = ChangeableArticleFields()});
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->title(), "Least");
  EXPECT_EQ(updated->authors_size(), 0);
  EXPECT_EQ(updated->tags_size(), 0);
  EXPECT_EQ(updated->language_code(), "");
  EXPECT_EQ(updated->summary(), "");
  EXPECT_EQ(updated->source_uri(), "");
  EXPECT_EQ(updated->publish_time(), full.publish_time()) << "it is never unset";
  EXPECT_EQ(updated->comment_policy(), full.comment_policy()) << "it is never unset";
  EXPECT_THAT(ListTitles({.tag = "sea", .page_size = 9}), IsEmpty());
  EXPECT_THAT(ListTitles({.author = "Ana", .page_size = 9}), IsEmpty());
}

TEST_F(UpdateArticleTest, AnInvalidUpdateNamesTheField) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  v1::Article bad;
  bad.set_source_uri("nowhere");
  for (int i = 0; i < 1001; ++i) bad.mutable_body()->append("# x\n");
  const auto problem = [&](const char* field) {
    const auto updated = Edit({.id = "post", .article = bad, .paths = {field}});
    EXPECT_EQ(ReasonOf(updated.status()), "INVALID_REQUEST");
    return std::string(updated.status().message());
  };
  EXPECT_EQ(problem("title"), "article.title is required");
  EXPECT_EQ(problem("source_uri"), "article.source_uri is not an absolute http or https URI");
  EXPECT_EQ(problem("body"), "article.body has 1001 sections; at most 1000 are allowed");
  EXPECT_EQ(GetOne("post").revision(), 1);
}

TEST_F(UpdateArticleTest, NeedsTheCurrentEtagUnlessNothingChanges) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  v1::Article changes = MakeOtherArticle();
  changes.set_etag("stale");
  const auto update = [&](const std::string& field) {
    return Edit({.id = "post", .article = changes, .paths = {field}});
  };
  EXPECT_EQ(ReasonOf(update("summary").status()), "ETAG_MISMATCH");
  EXPECT_EQ(ReasonOf(update("publish_time").status()), "ETAG_MISMATCH");
  changes.set_etag(GetOne("post").etag());
  EXPECT_EQ(update("summary")->revision(), 2);
  EXPECT_EQ(update("summary")->revision(), 2) << "nothing has changed";
  EXPECT_EQ(ReasonOf(Edit({.id = "none", .article = changes, .paths = {"title"}}).status()),
            "ARTICLE_NOT_FOUND");
}

TEST_F(UpdateArticleTest, ValidatingAnUpdateChangesNothing) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  Sql("UPDATE article_state SET comment_count = 7");  // to recognise it in the answer
  const v1::Article before = GetOne("post");
  ArticleEdit edit{
      .id = "post", .article = MakeOtherArticle(), .paths = {"body"}, .validate_only = true};
  const auto preview = Edit(edit);
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_EQ(preview->body(), MakeOtherArticle().body());
  EXPECT_EQ(preview->sections_size(), 2);
  EXPECT_EQ(preview->comment_count(), 7);
  EXPECT_FALSE(preview->has_update_time());
  EXPECT_EQ(preview->revision(), 0);
  EXPECT_EQ(preview->etag(), "");
  edit.article.clear_body();
  EXPECT_EQ(ReasonOf(Edit(edit).status()), "INVALID_REQUEST");
  edit.article = before;
  EXPECT_EQ(Edit(edit)->etag(), "") << "whether or not it would change something";
  EXPECT_EQ(GetOne("post").SerializeAsString(), before.SerializeAsString());
}

TEST_F(UpdateArticleTest, ARetractedArticleStaysRetracted) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(
      Edit({.id = "post", .article = MakeOtherArticle(), .paths = {"title", "tags"}})->title(),
      "Another title");
  EXPECT_FALSE(Exists("post"));
  EXPECT_TRUE(Inspect("post")->retracted);
  EXPECT_EQ(Sql("SELECT count(*) FROM article_search"), "0");
  ASSERT_TRUE(Edit({.id = "post", .article = MakeArticle("post"), .paths = {"title"}}).ok());
  EXPECT_EQ(Publish(MakeArticle("post"))->outcome, v1::PUBLISH_OUTCOME_REPLACED);
  EXPECT_TRUE(Exists("post"));
  EXPECT_EQ(Sql("SELECT count(*) FROM article_search"), "1");
}

}  // namespace
}  // namespace content::store
