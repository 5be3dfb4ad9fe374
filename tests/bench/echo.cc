// The upper limit for cached reads: a server that answers every GetArticle with the same stored
// bytes and does nothing else.

#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "content/v1/content_service.grpc.pb.h"

namespace content::bench {
namespace {

using Service = v1::ContentService::WithRawCallbackMethod_GetArticle<v1::ContentService::Service>;

class Echo final : public Service {
 public:
  explicit Echo(const std::string& answer) {
    const grpc::Slice slice(answer);
    answer_ = grpc::ByteBuffer(&slice, 1);
  }

  grpc::ServerUnaryReactor* GetArticle(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer*,
                                       grpc::ByteBuffer* response) override {
    *response = answer_;
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  grpc::ByteBuffer answer_;
};

int Main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("Usage: bench_echo HOST:PORT FILE\n", stderr);
    return 2;
  }
  std::ifstream file(argv[2], std::ios::binary);
  Echo echo(std::string(std::istreambuf_iterator<char>(file), {}));
  grpc::ServerBuilder builder;
  builder.AddListeningPort(argv[1], grpc::InsecureServerCredentials());
  builder.RegisterService(&echo);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  server->Wait();
  return 0;
}

}  // namespace
}  // namespace content::bench

int main(int argc, char** argv) { return content::bench::Main(argc, argv); }
