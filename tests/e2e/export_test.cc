// `contentd export` as a user runs it, and what another database answers once it has imported that.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/protobuf/util/time_util.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"

namespace content::testing {
namespace {

namespace fs = std::filesystem;

using google::protobuf::util::TimeUtil;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Content = v1::ContentService::Stub;
using Admin = v1::AdminService::Stub;

// Takes out of an answer what a database has of its own.
void DropRevisions(google::protobuf::Message& message) {
  const auto* const reflection = message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* const field : fields) {
    const std::string& name = field->name();
    if (name == "revision" || name == "article_revision" || name == "etag" ||
        name == "resume_token") {
      reflection->ClearField(&message, field);
    } else if (field->message_type() != nullptr && field->is_repeated()) {
      for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
        DropRevisions(*reflection->MutableRepeatedMessage(&message, field, i));
      }
    } else if (field->message_type() != nullptr) {
      DropRevisions(*reflection->MutableMessage(&message, field));
    }
  }
}

// A server on a database of its own.
class Site {
 public:
  Site() { AwaitServing(client_); }

  const std::string& url() const { return url_; }

  template <class Stub, class Request, class Response>
  Response Ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               Stub& stub, const Request& request) const {
    Response response;
    const grpc::Status status = Client::Call(method, stub, request, response);
    EXPECT_TRUE(status.ok()) << status.error_message() << " to " << request.ShortDebugString();
    return response;
  }

  // The answers to every read, by what was asked.
  std::map<std::string, std::string> Answers(const std::vector<std::string>& articles,
                                             const std::vector<std::string>& comments) const {
    std::map<std::string, std::string> answers;
    const auto add = [&](auto method, auto& stub, const auto& request, auto response) {
      const grpc::Status status = Client::Call(method, stub, request, response);
      DropRevisions(response);
      answers[request.GetTypeName() + " " + request.ShortDebugString()] =
          status.ok() ? response.ShortDebugString() : status.error_message();
    };
    AddReadsOfArticles(articles, add);
    AddReadsOfComments(articles, comments, add);
    AddLists(add);
    return answers;
  }

  Content& content() const { return client_.content(); }
  Admin& admin() const { return client_.admin(); }
  const Client& client() const { return client_; }

 private:
  template <class Add>
  void AddReadsOfArticles(const std::vector<std::string>& articles, Add add) const {
    for (const std::string& name : articles) {
      v1::GetArticleRequest get;
      get.set_name(name);
      add(&Content::GetArticle, content(), get, v1::GetArticleResponse());
      v1::InspectArticleRequest inspect;
      inspect.set_name(name);
      add(&Admin::InspectArticle, admin(), inspect, v1::InspectArticleResponse());
      v1::GetArticlePageRequest page;
      page.set_name(name);
      add(&Content::GetArticlePage, content(), page, v1::GetArticlePageResponse());
    }
    v1::BatchGetArticlesRequest batch;
    *batch.mutable_names() = {articles.begin(), articles.end()};
    batch.set_allow_missing(true);
    add(&Content::BatchGetArticles, content(), batch, v1::BatchGetArticlesResponse());
  }

  template <class Add>
  void AddReadsOfComments(const std::vector<std::string>& articles,
                          const std::vector<std::string>& comments, Add add) const {
    for (const std::string& name : articles) {
      for (const auto order :
           {v1::COMMENT_ORDER_NEWEST, v1::COMMENT_ORDER_OLDEST, v1::COMMENT_ORDER_THREADED}) {
        v1::ListCommentsRequest list;
        list.set_parent(name);
        list.set_order(order);
        add(&Content::ListComments, content(), list, v1::ListCommentsResponse());
      }
    }
    for (const std::string& name : comments) {
      v1::GetCommentRequest get;
      get.set_name(name);
      add(&Content::GetComment, content(), get, v1::GetCommentResponse());
      v1::InspectCommentRequest inspect;
      inspect.set_name(name);
      add(&Admin::InspectComment, admin(), inspect, v1::InspectCommentResponse());
    }
    for (const auto state : {v1::COMMENT_STATE_PENDING, v1::COMMENT_STATE_HIDDEN}) {
      v1::ListModerationQueueRequest queue;
      queue.set_state(state);
      add(&Admin::ListModerationQueue, admin(), queue, v1::ListModerationQueueResponse());
    }
  }

  template <class Add>
  void AddLists(Add add) const {
    for (const auto order : {v1::ARTICLE_ORDER_NEWEST, v1::ARTICLE_ORDER_OLDEST}) {
      v1::ListArticlesRequest list;
      list.set_order(order);
      add(&Content::ListArticles, content(), list, v1::ListArticlesResponse());
      list.set_tag("sea");
      add(&Content::ListArticles, content(), list, v1::ListArticlesResponse());
      list.set_author("ana");
      add(&Content::ListArticles, content(), list, v1::ListArticlesResponse());
    }
    v1::SearchArticlesRequest search;
    search.set_query("words");
    add(&Content::SearchArticles, content(), search, v1::SearchArticlesResponse());
  }

  const std::string url_ = NewDatabase();
  const ContentdServer server_{{"--database-url", url_}};
  const Client client_{server_.address()};
};

class ExportTest : public ::testing::Test {
 protected:
  static Finished Export(const Site& site, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"export", "--database-url", site.url()});
    return RunContentd(arguments);
  }

  static Finished Import(const Site& site, const std::string& path) {
    return RunContentd({"import", "--database-url", site.url(), path});
  }

  static std::string ReadAll(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  static v1::Article MakeOne(const std::string& id, int64_t publish_time) {
    v1::Article article = MakeArticle(id);
    article.set_body(absl::StrCat("# Of ", id, "\n\nSome words.\n\n# More\n\nAnd more."));
    article.add_authors()->set_display_name("Ana");
    article.mutable_authors(0)->set_id("ana");
    article.add_tags("sea");
    article.set_summary("A summary.");
    article.set_language_code("en");
    article.set_source_uri("https://example.org/" + id);
    article.mutable_publish_time()->set_seconds(publish_time);
    return article;
  }

  void Publish(const v1::Article& article) {
    ASSERT_TRUE(site_.client().Publish(article).ok());
    names_.push_back(article.name());
  }

  void Rename(const std::string& name, const std::string& new_name) {
    v1::RenameArticleRequest request;
    request.set_name(name);
    request.set_new_name(new_name);
    site_.Ask(&Admin::RenameArticle, site_.admin(), request);
    names_.push_back(new_name);
  }

  void Retract(const std::string& name) {
    v1::RetractArticleRequest request;
    request.set_name(name);
    site_.Ask(&Admin::RetractArticle, site_.admin(), request);
  }

  std::string Comment(const std::string& article, const std::string& body,
                      const std::string& reply_to = "") {
    v1::CreateCommentRequest request = MakeCommentRequest(article, body);
    request.mutable_comment()->set_reply_to(reply_to);
    const auto created = site_.Ask(&Content::CreateComment, site_.content(), request);
    comments_.push_back(created.comment().name());
    return comments_.back();
  }

  void Edit(const std::string& comment, const std::string& body) {
    v1::UpdateCommentRequest request;
    request.mutable_comment()->set_name(comment);
    request.mutable_comment()->set_body(body);
    site_.Ask(&Content::UpdateComment, site_.content(), request);
  }

  void Moderate(const std::string& comment, v1::CommentState state) {
    v1::ModerateCommentRequest request;
    request.set_name(comment);
    request.set_state(state);
    site_.Ask(&Admin::ModerateComment, site_.admin(), request);
  }

  void Delete(const std::string& comment) {
    v1::DeleteCommentRequest request;
    request.set_name(comment);
    site_.Ask(&Content::DeleteComment, site_.content(), request);
  }

  // Articles and comments in every state.
  void Fill() {
    // Of one publish_time: only the order in which they came tells which is first.
    for (const char* id : {"c", "a", "b"}) Publish(MakeOne(id, 1'700'000'000));
    Publish(MakeOne("story", 1'710'000'000));
    Publish(MakeOne("retracted", 1'720'000'000));
    Publish(MakeOne("scheduled", absl::ToUnixSeconds(absl::Now() + absl::Hours(24))));
    v1::Article closed = MakeOne("closed", 1'730'000'000);
    closed.set_comment_policy(v1::COMMENT_POLICY_CLOSED);
    Publish(closed);
    v1::Article edited = MakeOne("a", 1'700'000'000);
    edited.set_body("Other words, \"quoted\" <b>and</b> \\ more: 日本語 🦀\n");
    Publish(edited);
    FillThreads();
    Rename("articles/story", "articles/tale");
    Rename("articles/tale", "articles/story-of-a-tale");
    Retract("articles/retracted");
  }

  void FillThreads() {
    const std::string root = Comment("story", "root");
    const std::string reply = Comment("story", "reply\n\nof two paragraphs", root);
    const std::string deleted = Comment("story", "deleted, with a reply", reply);
    Comment("story", "deep", deleted);
    const std::string gone = Comment("story", "deleted");
    const std::string hidden = Comment("story", "hidden");
    const std::string pending = Comment("story", "pending, with a reply");
    Comment("story", "below what waits", pending);
    Comment("retracted", "unseen");
    for (const char* text : {"edited", "edited twice"}) Edit(root, text);
    Delete(deleted);
    Delete(gone);
    Moderate(hidden, v1::COMMENT_STATE_HIDDEN);
    Moderate(pending, v1::COMMENT_STATE_PENDING);
  }

  const Site site_;
  std::vector<std::string> names_;
  std::vector<std::string> comments_;
};

TEST_F(ExportTest, AnotherDatabaseGivesTheSameAnswers) {
  Fill();
  const Finished exported = Export(site_);
  ASSERT_EQ(exported.status, 0) << exported.err;
  EXPECT_EQ(exported.err,
            "exporting from the database that --database-url names\n"
            "exported 7 articles and 9 comments\n");
  EXPECT_EQ(Export(site_).out, exported.out);

  const std::string path = ScratchDirectory() + "/content.ndjson";
  ASSERT_EQ(Export(site_, {"--output", path}).status, 0);
  EXPECT_EQ(ReadAll(path), exported.out);

  const Site copy;
  const Finished imported = Import(copy, path);
  ASSERT_EQ(imported.status, 0) << imported.err << imported.out;
  const auto expected = site_.Answers(names_, comments_);
  for (const auto& [question, answer] : copy.Answers(names_, comments_)) {
    EXPECT_EQ(answer, expected.at(question)) << question;
  }
  EXPECT_EQ(Export(copy).out, exported.out);

  constexpr char kRevisions[] = "SELECT sum(revision) FROM article_state";
  const std::string revisions = Query(copy.url(), kRevisions);
  EXPECT_EQ(Import(copy, path).status, 0);
  EXPECT_EQ(Query(copy.url(), kRevisions), revisions) << "a second import changes nothing";
}

TEST_F(ExportTest, ANewerExportBringsWhatIsNewAndDeletesWhatIsDeleted) {
  const std::string path = ScratchDirectory() + "/content.ndjson";
  Publish(MakeOne("a", 1'700'000'000));
  const std::string root = Comment("a", "taken back");
  Comment("a", "below it", root);
  ASSERT_EQ(Export(site_, {"--output", path}).status, 0);
  const Site copy;
  ASSERT_EQ(Import(copy, path).status, 0);

  v1::Article edited = MakeOne("a", 1'700'000'000);
  edited.set_body("Other words.");
  ASSERT_TRUE(site_.client().Publish(edited).ok());
  Delete(root);
  Comment("a", "new");
  ASSERT_EQ(Export(site_, {"--output", path}).status, 0);
  const Finished newer = Import(copy, path);
  EXPECT_EQ(newer.status, 1) << "the article is there with other content";
  EXPECT_THAT(newer.out, Not(HasSubstr("without an article")));
  constexpr char kBodies[] = "SELECT string_agg(body, ', ' ORDER BY comment_id) FROM comment";
  EXPECT_EQ(Query(copy.url(), kBodies), ", below it, new");
  EXPECT_EQ(Query(copy.url(), "SELECT comment_count FROM article_state"), "2");
}

TEST_F(ExportTest, AnArticleThatWasRenamedIsAConflict) {
  const std::string path = ScratchDirectory() + "/content.ndjson";
  Publish(MakeOne("a", 1'700'000'000));
  ASSERT_EQ(Export(site_, {"--output", path}).status, 0);
  const Site copy;
  ASSERT_EQ(Import(copy, path).status, 0);
  Rename("articles/a", "articles/b");
  ASSERT_EQ(Export(site_, {"--output", path}).status, 0);
  const Finished newer = Import(copy, path);
  EXPECT_THAT(newer.err, HasSubstr("articles/b is here as articles/a; rename that first"));
  EXPECT_EQ(Query(copy.url(), "SELECT count(*) FROM article_state"), "1");
}

TEST_F(ExportTest, AFolderOfMarkdownGivesTheSameArticles) {
  Fill();
  const std::string folder = ScratchDirectory() + "/posts";
  fs::remove_all(folder);  // of a run before
  const Finished exported = Export(site_, {"--format", "markdown", "--output", folder});
  ASSERT_EQ(exported.status, 0) << exported.err;
  EXPECT_THAT(exported.err, HasSubstr("exported 7 articles, without comments\n"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 7);
  EXPECT_THAT(ReadAll(folder + "/2024-03-09-story-of-a-tale.md"), StartsWith("---\ntitle: "));

  const Site copy;
  const Finished imported = Import(copy, folder);
  EXPECT_EQ(imported.status, 0) << imported.err;
  EXPECT_THAT(imported.out, HasSubstr("draft")) << "the retracted one";
  for (const char* id : {"a", "b", "c", "closed", "scheduled", "story-of-a-tale"}) {
    v1::InspectArticleRequest request;
    request.set_name(absl::StrCat("articles/", id));
    const auto inspect = [&](const Site& site) {
      auto inspected = site.Ask(&Admin::InspectArticle, site.admin(), request);
      DropRevisions(inspected);
      v1::Article& article = *inspected.mutable_article();
      article.clear_comment_count();
      article.clear_sections();
      // White space at the end of a file says nothing.
      while (absl::EndsWith(article.body(), "\n")) article.mutable_body()->pop_back();
      return inspected.ShortDebugString();
    };
    EXPECT_EQ(inspect(copy), inspect(site_));
  }
}

TEST_F(ExportTest, HasWhatIsAskedFor) {
  Publish(MakeOne("a", 1'700'000'000));
  v1::Article other = MakeOne("b", 1'710'000'000);
  other.set_tags(0, "land");
  Publish(other);
  const auto export_of = [&](const std::vector<std::string>& filter) {
    return Export(site_, filter).err;
  };
  const auto only = HasSubstr("exported 1 article and ");
  EXPECT_THAT(export_of({"--article", "b"}), only);
  EXPECT_THAT(export_of({"--tag", "land"}), only);
  EXPECT_THAT(export_of({"--author", "ana", "--tag", "sea"}), only);
  EXPECT_THAT(export_of({"--since", "2024-03-09"}), only);
  EXPECT_THAT(export_of({"--until", "2024-03-09T00:00:00Z"}), only);
  const Finished none = Export(site_, {"--article", "none"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("contentd: articles/none"));
}

TEST_F(ExportTest, TakesNoFileThatIsNotItsOwn) {
  const std::string path = ScratchDirectory() + "/mine.txt";
  std::ofstream(path) << "text";
  const Finished refused = Export(site_, {"--output", path});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("mine.txt is there and is no export"));
  EXPECT_EQ(ReadAll(path), "text");
}

TEST_F(ExportTest, AFullDiskIsAnError) {
  const Finished full = Export(site_, {"--output", "/dev/full"});
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.err,
              HasSubstr("contentd: cannot write to /dev/full: No space left on device\n"));
}

}  // namespace
}  // namespace content::testing
