// Uses the main features of the content service and checks the answers, or puts load on it.
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <future>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "content/v1/admin_service.grpc.pb.h"
#include "content/v1/content_service.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace {

namespace v1 = content::v1;

using Content = v1::ContentService::StubInterface;
using Admin = v1::AdminService::StubInterface;
using Names = std::vector<std::string>;
using Pages = std::vector<Names>;

// Every call, including the watch, must finish within this time. Other calls than the watch have a
// shorter timeout in the service config.
constexpr std::chrono::seconds kTimeout(30);

// Set by SIGTERM, which ends the load.
std::atomic<bool> stopped = false;

// An answer does not match the contract.
class Wrong : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// An error: its code and its google.rpc details.
struct Refusal {
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string reason = {};
  std::vector<std::string> fields = {};

  bool operator==(const Refusal&) const = default;
};

Refusal RefusalOf(const grpc::Status& status) {
  Refusal refusal = {.code = status.error_code()};
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  for (const google::protobuf::Any& detail : details.details()) {
    if (detail.UnpackTo(&info)) {
      refusal.reason = info.reason();
    } else if (detail.UnpackTo(&bad_request)) {
      for (const auto& violation : bad_request.field_violations()) {
        refusal.fields.push_back(violation.field());
      }
    }
  }
  return refusal;
}

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kTimeout);
}

template <typename Stub, typename Request, typename Response>
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

// Returns the answer to a call that must succeed.
template <typename Stub, typename Request, typename Response>
Response Call(Stub& stub, Method<Stub, Request, Response> method, const Request& request) {
  grpc::ClientContext context;
  SetDeadline(context);
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) throw Wrong("a call failed: " + status.error_message());
  return response;
}

// Returns the error of a call that must fail.
template <typename Stub, typename Request, typename Response>
Refusal Try(Stub& stub, Method<Stub, Request, Response> method, const Request& request) {
  grpc::ClientContext context;
  SetDeadline(context);
  Response response;
  return RefusalOf((stub.*method)(&context, request, &response));
}

template <typename Resources>
Names NamesOf(const Resources& resources) {
  Names names;
  for (const auto& resource : resources) names.push_back(resource.name());
  return names;
}

std::string RandomUuid() {
  thread_local std::random_device random;
  std::uniform_int_distribution<std::size_t> digit(0, 15);
  std::string uuid = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx";
  for (char& c : uuid) {
    if (c == 'x') c = "0123456789abcdef"[digit(random)];
  }
  return uuid;
}

std::string RandomWord() {
  std::string word = "word" + RandomUuid();
  std::erase(word, '-');
  return word;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// `target`: HOST:PORT, or several servers as ipv4:ADDRESS:PORT,ADDRESS:PORT.
std::shared_ptr<grpc::Channel> Connect(const std::string& target,
                                       const std::string& service_config) {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(service_config);
  // A server that was restarted is used again within a second.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

// Takes one article through its life and checks every answer on the way.
class Client {
 public:
  explicit Client(const std::shared_ptr<grpc::Channel>& channel)
      : content_(v1::ContentService::NewStub(channel)),
        admin_(v1::AdminService::NewStub(channel)) {}

  // Throws Wrong at the first wrong answer. Returns how many answers were checked.
  int Run() {
    Publish();
    Read();
    Search();
    Discuss();
    ListComments();
    ChangeWhileWatching();
    ForgetFields();
    Retract();
    return checks_;
  }

  // Publishes an article, and reads it and comments on it until SIGTERM. Throws Wrong if a call
  // fails. Returns the word that begins all of the comments, and their number.
  std::string PutUnderLoad() {
    Publish();
    std::vector<std::future<int>> workers;
    for (int i = 0; i < 4; ++i) {
      workers.push_back(std::async(std::launch::async, [this, i] { return ReadAndComment(i); }));
    }
    int comments = 0;
    for (std::future<int>& worker : workers) comments += worker.get();
    return tag_ + ' ' + std::to_string(comments);
  }

 private:
  int ReadAndComment(int worker) {
    v1::GetArticleRequest get;
    get.set_name(article_);
    int comments = 0;
    while (!stopped) {
      Call(*content_, &Content::GetArticle, get);
      CreateComment(tag_ + ' ' + std::to_string(worker) + '.' + std::to_string(comments));
      ++comments;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return comments;
  }

  void Check(const std::string& what, bool holds) {
    if (!holds) throw Wrong(what);
    std::cout << "ok: " << what << std::endl;
    ++checks_;
  }

  void Publish() {
    v1::PublishArticleRequest request;
    v1::Article& article = *request.mutable_article();
    article.set_name(article_);
    article.set_title("Calling the service from C++");
    article.add_authors()->set_display_name("A Client");
    article.set_language_code("en");
    article.add_tags(tag_);
    article.set_body("“Naïve” input first 🙂, then a rare word: " + word_ + ".");
    const auto answer = Call(*admin_, &Admin::PublishArticle, request);
    Check("PublishArticle creates an article",
          answer.outcome() == v1::PUBLISH_OUTCOME_CREATED && answer.article().name() == article_);
  }

  void Read() {
    v1::GetArticleRequest get;
    get.set_name(article_);
    const auto got = Call(*content_, &Content::GetArticle, get);
    Check("GetArticle has the text",
          got.article().body().find("“Naïve” input first 🙂") != std::string::npos);

    const std::string missing = "articles/no-such-article";
    v1::BatchGetArticlesRequest get_batch;
    get_batch.add_names(missing);
    get_batch.add_names(article_);
    get_batch.set_allow_missing(true);
    const auto batch = Call(*content_, &Content::BatchGetArticles, get_batch);
    Check("BatchGetArticles has what there is and names what is missing",
          NamesOf(batch.articles()) == Names{article_} && batch.missing_names_size() == 1 &&
              batch.missing_names(0) == missing);

    v1::ListArticlesRequest list;
    list.set_tag(tag_);
    const auto tagged = Call(*content_, &Content::ListArticles, list);
    Check("ListArticles finds the article by its tag",
          NamesOf(tagged.articles()) == Names{article_});
  }

  void Search() {
    v1::SearchArticlesRequest request;
    request.set_query(word_);
    const auto answer = Call(*content_, &Content::SearchArticles, request);
    Check("SearchArticles finds the article by a word of its body",
          answer.results_size() == 1 && answer.results(0).article().name() == article_);
    std::vector<std::string> highlighted;
    for (const v1::SnippetPart& part : answer.results(0).snippet()) {
      if (part.highlighted()) highlighted.push_back(part.text());
    }
    Check("SearchArticles highlights the word", highlighted == std::vector{word_});
  }

  // The service config repeats calls that fail: without a request_id, that could add another
  // comment.
  v1::Comment CreateComment(const std::string& body, const std::string& reply_to = "",
                            const std::string& request_id = RandomUuid()) {
    v1::CreateCommentRequest request;
    request.set_parent(article_);
    v1::Comment& comment = *request.mutable_comment();
    comment.mutable_author()->set_id("reader-1");
    comment.mutable_author()->set_display_name("A Reader");
    comment.set_body(body);
    comment.set_reply_to(reply_to);
    request.set_request_id(request_id);
    return Call(*content_, &Content::CreateComment, request).comment();
  }

  void Discuss() {
    const std::string request_id = RandomUuid();
    question_ = CreateComment("Is it so?", "", request_id);
    Check("CreateComment on an open article is visible at once",
          question_.state() == v1::COMMENT_STATE_VISIBLE);
    Check("CreateComment with the same request_id gives the same comment",
          CreateComment("Is it so?", "", request_id).name() == question_.name());
    remark_ = CreateComment("Thanks!");
    reply_ = CreateComment("It is.", question_.name());
    Check("CreateComment replies to a comment",
          reply_.reply_to() == question_.name() && reply_.depth() == 1);
  }

  // The names on the pages from this token to the end, in threaded order, one comment each.
  Pages ListPages(const std::string& page_token) {
    Pages pages;
    v1::ListCommentsRequest request;
    request.set_parent(article_);
    request.set_order(v1::COMMENT_ORDER_THREADED);
    request.set_page_size(1);
    request.set_page_token(page_token);
    do {
      const auto page = Call(*content_, &Content::ListComments, request);
      pages.push_back(NamesOf(page.comments()));
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return pages;
  }

  void ListComments() {
    const std::string &question = question_.name(), &reply = reply_.name(),
                      &remark = remark_.name();
    Check("ListComments goes through the threads from page to page",
          ListPages("") == Pages{{question}, {reply}, {remark}});

    v1::GetArticlePageRequest request;
    request.set_name(article_);
    request.set_comment_order(v1::COMMENT_ORDER_THREADED);
    request.set_comment_page_size(1);
    request.set_min_revision(reply_.article_revision());
    const auto page = Call(*content_, &Content::GetArticlePage, request);
    Check("GetArticlePage has the article and its first comment",
          page.article().comment_count() == 3 && NamesOf(page.comments()) == Names{question});
    Check("GetArticlePage's token gets the others from ListComments",
          ListPages(page.next_comment_page_token()) == Pages{{reply}, {remark}});
  }

  v1::GetCommentRequest GetQuestion(std::int64_t min_revision) {
    v1::GetCommentRequest request;
    request.set_name(question_.name());
    request.set_min_revision(min_revision);
    return request;
  }

  v1::UpdateCommentRequest UpdateQuestion(const std::string& body) {
    v1::UpdateCommentRequest request;
    request.mutable_comment()->set_name(question_.name());
    request.mutable_comment()->set_body(body);
    request.mutable_comment()->set_etag(question_.etag());
    request.mutable_update_mask()->add_paths("body");
    return request;
  }

  v1::DeleteCommentRequest DeleteQuestion(const std::string& etag) {
    v1::DeleteCommentRequest request;
    request.set_name(question_.name());
    request.set_etag(etag);
    return request;
  }

  void ChangeWhileWatching() {
    const Refusal stale = {.code = grpc::StatusCode::ABORTED, .reason = "ETAG_MISMATCH"};
    v1::WatchCommentsRequest request;
    request.set_parent(article_);
    request.set_after_revision(0);
    grpc::ClientContext watching;
    SetDeadline(watching);
    const auto watch = content_->WatchComments(&watching, request);
    std::map<std::string, v1::Comment> latest;  // The latest state of each comment.
    const auto watch_until = [&](std::int64_t revision) {
      v1::WatchCommentsResponse message;
      do {
        if (!watch->Read(&message)) throw Wrong("WatchComments ended by itself");
        for (const v1::Comment& comment : message.comments()) latest[comment.name()] = comment;
      } while (message.article_revision() < revision);
    };

    watch_until(reply_.article_revision());
    Check("WatchComments begins with the comments there are",
          latest.size() == 3 && latest.contains(question_.name()) &&
              latest.contains(remark_.name()) && latest.contains(reply_.name()));

    const v1::Comment updated =
        Call(*content_, &Content::UpdateComment, UpdateQuestion("Is it really so?")).comment();
    Check("UpdateComment changes the text",
          updated.body() == "Is it really so?" && updated.edit_count() == 1);
    Check("UpdateComment with a stale etag is ABORTED",
          Try(*content_, &Content::UpdateComment, UpdateQuestion("Perhaps not.")) == stale);
    const std::int64_t revision = updated.article_revision();
    Check("GetComment with min_revision sees the change",
          Call(*content_, &Content::GetComment, GetQuestion(revision)).comment().etag() ==
              updated.etag());
    Check("GetComment refuses a min_revision that is not reached",
          Try(*content_, &Content::GetComment, GetQuestion(revision + 1000)) ==
              Refusal{.code = grpc::StatusCode::FAILED_PRECONDITION,
                      .reason = "REVISION_NOT_REACHED"});
    watch_until(revision);
    Check("WatchComments tells of the change",
          latest[question_.name()].body() == "Is it really so?");

    Check("DeleteComment with a stale etag is ABORTED",
          Try(*content_, &Content::DeleteComment, DeleteQuestion(question_.etag())) == stale);
    const auto deleted = Call(*content_, &Content::DeleteComment, DeleteQuestion(updated.etag()));
    const v1::Comment left =
        Call(*content_, &Content::GetComment, GetQuestion(deleted.article_revision())).comment();
    Check("DeleteComment leaves a placeholder above the reply",
          left.state() == v1::COMMENT_STATE_DELETED && left.reply_count() == 1 &&
              left.body().empty() && !left.has_author());
    watch_until(deleted.article_revision());
    Check("WatchComments tells of the deletion",
          latest[question_.name()].state() == v1::COMMENT_STATE_DELETED);

    watching.TryCancel();
    v1::WatchCommentsResponse rest;
    while (watch->Read(&rest)) {
    }
    Check("WatchComments ends when it is cancelled",
          watch->Finish().error_code() == grpc::StatusCode::CANCELLED);
  }

  void ForgetFields() {
    v1::CreateCommentRequest request;
    request.set_parent(article_);
    request.mutable_comment();
    Check("a request that lacks fields is INVALID_ARGUMENT, and each is named",
          Try(*content_, &Content::CreateComment, request) ==
              Refusal{
                  .code = grpc::StatusCode::INVALID_ARGUMENT,
                  .reason = "INVALID_REQUEST",
                  .fields = {"comment.author.id", "comment.author.display_name", "comment.body"}});
  }

  void Retract() {
    v1::RetractArticleRequest retract;
    retract.set_name(article_);
    Call(*admin_, &Admin::RetractArticle, retract);
    v1::GetArticleRequest get;
    get.set_name(article_);
    Check("a retracted article is NOT_FOUND",
          Try(*content_, &Content::GetArticle, get) ==
              Refusal{.code = grpc::StatusCode::NOT_FOUND, .reason = "ARTICLE_NOT_FOUND"});
  }

  const std::unique_ptr<Content> content_;
  const std::unique_ptr<Admin> admin_;
  const std::string tag_ = "cpp-" + RandomUuid();
  const std::string article_ = "articles/" + tag_;
  const std::string word_ = RandomWord();
  v1::Comment question_;
  v1::Comment remark_;
  v1::Comment reply_;
  int checks_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool load = arguments.size() == 3 && arguments[2] == "load";
  if (arguments.size() != 2 && !load) {
    std::cerr << "Usage: client TARGET SERVICE-CONFIG [load]\n";
    return 2;
  }
  std::signal(SIGTERM, [](int) { stopped = true; });
  try {
    Client client(Connect(arguments[0], ReadFile(arguments[1])));
    if (load) {
      std::cout << client.PutUnderLoad() << '\n';
    } else {
      std::cout << client.Run() << " checks passed\n";
    }
  } catch (const std::runtime_error& error) {
    std::cerr << "WRONG: " << error.what() << '\n';
    return 1;
  }
}
