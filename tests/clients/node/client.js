// Uses the main features of the content service and checks the answers, or puts load on it.
'use strict';

const {randomUUID} = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const {setTimeout: sleep} = require('node:timers/promises');
const {isDeepStrictEqual, promisify} = require('node:util');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

// The watch must finish within this many milliseconds. Other calls have a timeout in the service
// config.
const TIMEOUT = 30_000;

// Asks a second server if the first has not answered for so long, or cannot. Of our languages, only
// gRPC for Node can do this.
const HEDGING = {
  maxAttempts: 3,
  hedgingDelay: '0.1s',
  nonFatalStatusCodes: ['UNAVAILABLE', 'CANCELLED'],
};

/** An answer does not match the contract. */
class Wrong extends Error {}

function load(protoFolder) {
  return protoLoader.loadSync(
    [
      'content/v1/content_service.proto',
      'content/v1/admin_service.proto',
      'google/rpc/status.proto',
      'google/rpc/error_details.proto',
    ],
    {
      includeDirs: [protoFolder, path.join(protoFolder, 'third_party')],
      defaults: true,
      enums: String,
      longs: String,
    },
  );
}

/** The service config, with hedging instead of retries for the methods that are answered from memory. */
function serviceConfig(protoFolder) {
  const file = path.join(protoFolder, 'content/v1/service_config.json');
  const config = JSON.parse(fs.readFileSync(file, 'utf8'));
  const reads = config.methodConfig.find(({name}) => name.some(({method}) => method === 'GetArticle'));
  delete reads.retryPolicy;
  reads.hedgingPolicy = HEDGING;
  return JSON.stringify(config);
}

/**
 * A client whose methods return promises, or streams where the answer is one. `target` is HOST:PORT,
 * or several servers as ipv4:ADDRESS:PORT,ADDRESS:PORT.
 */
function connect(Service, target, config) {
  const client = new Service(target, grpc.credentials.createInsecure(), {
    'grpc.service_config': config,
    // A server that was restarted is used again within a second.
    'grpc.max_reconnect_backoff_ms': 1000,
  });
  for (const [name, {responseStream}] of Object.entries(Service.service)) {
    if (!responseStream) client[name] = promisify(client[name]);
  }
  return client;
}

const names = (resources) => resources.map(({name}) => name);

/** Takes one article through its life and checks every answer on the way. */
class Client {
  constructor(definitions, target, config) {
    const {ContentService, AdminService} = grpc.loadPackageDefinition(definitions).content.v1;
    this.definitions = definitions;
    this.content = connect(ContentService, target, config);
    this.admin = connect(AdminService, target, config);
    this.tag = `node-${randomUUID()}`;
    this.article = `articles/${this.tag}`;
    this.word = `word${randomUUID().replaceAll('-', '')}`;
    this.checks = 0;
  }

  close() {
    this.content.close();
    this.admin.close();
  }

  check(what, got, expected = true) {
    if (!isDeepStrictEqual(got, expected)) {
      throw new Wrong(`${what}: got ${JSON.stringify(got)}, not ${JSON.stringify(expected)}`);
    }
    console.log(`ok: ${what}`);
    this.checks += 1;
  }

  /** The code, the reason and the fields at fault, as google.rpc's details give them. */
  refusal(error) {
    const refusal = {code: error.code, reason: undefined, fields: []};
    const decode = (type, bytes) => this.definitions[type].deserialize(bytes);
    const [status] = error.metadata.get('grpc-status-details-bin');
    if (!status) return refusal;
    for (const {type_url: url, value} of decode('google.rpc.Status', status).details) {
      const type = url.split('/').pop();
      if (type === 'google.rpc.ErrorInfo') {
        refusal.reason = decode(type, value).reason;
      } else if (type === 'google.rpc.BadRequest') {
        refusal.fields = decode(type, value).fieldViolations.map(({field}) => field);
      }
    }
    return refusal;
  }

  async checkRefused(what, call, code, reason, fields = []) {
    const got = await call.catch((error) => {
      if (!error.metadata) throw error;
      return this.refusal(error);
    });
    this.check(what, got, {code, reason, fields});
  }

  async run() {
    await this.publish();
    await this.read();
    await this.search();
    await this.discuss();
    await this.listComments();
    await this.changeWhileWatching();
    await this.forgetFields();
    await this.retract();
  }

  /** Publishes an article, and reads it and comments on it until SIGTERM. */
  async putUnderLoad() {
    let stopped = false;
    let comments = 0;
    process.once('SIGTERM', () => {
      stopped = true;
    });
    const readAndComment = async () => {
      while (!stopped) {
        await this.content.GetArticle({name: this.article});
        comments += 1;
        await this.createComment(`${this.tag} ${comments}`);
        await sleep(20);
      }
    };
    await this.publish();
    await Promise.all(Array.from({length: 4}, readAndComment));
    return comments;
  }

  async publish() {
    const {article, outcome} = await this.admin.PublishArticle({
      article: {
        name: this.article,
        title: 'Calling the service from Node',
        authors: [{displayName: 'A Client'}],
        languageCode: 'en',
        tags: [this.tag],
        body: `“Naïve” input first 🙂, then a rare word: ${this.word}.`,
      },
    });
    this.check('PublishArticle creates an article', [article.name, outcome], [
      this.article,
      'PUBLISH_OUTCOME_CREATED',
    ]);
  }

  async read() {
    const {article} = await this.content.GetArticle({name: this.article});
    this.check('GetArticle has the text', article.body.includes('“Naïve” input first 🙂'));

    const missing = 'articles/no-such-article';
    const batch = await this.content.BatchGetArticles({
      names: [missing, this.article],
      allowMissing: true,
    });
    this.check(
      'BatchGetArticles has what there is and names what is missing',
      {found: names(batch.articles), missing: batch.missingNames},
      {found: [this.article], missing: [missing]},
    );

    const {articles} = await this.content.ListArticles({tag: this.tag});
    this.check('ListArticles finds the article by its tag', names(articles), [this.article]);
  }

  async search() {
    const {results} = await this.content.SearchArticles({query: this.word});
    this.check(
      'SearchArticles finds the article by a word of its body',
      results.map(({article}) => article.name),
      [this.article],
    );
    this.check(
      'SearchArticles highlights the word',
      results[0].snippet.filter(({highlighted}) => highlighted).map(({text}) => text),
      [this.word],
    );
  }

  /**
   * The service config repeats calls that fail: without a requestId, that could add another comment.
   */
  async createComment(body, {replyTo, requestId = randomUUID()} = {}) {
    const author = {id: 'reader-1', displayName: 'A Reader'};
    const request = {parent: this.article, comment: {author, body, replyTo}, requestId};
    return (await this.content.CreateComment(request)).comment;
  }

  async discuss() {
    const requestId = randomUUID();
    this.question = await this.createComment('Is it so?', {requestId});
    this.check(
      'CreateComment on an open article is visible at once',
      this.question.state,
      'COMMENT_STATE_VISIBLE',
    );
    this.check(
      'CreateComment with the same request_id gives the same comment',
      (await this.createComment('Is it so?', {requestId})).name,
      this.question.name,
    );
    this.remark = await this.createComment('Thanks!');
    this.reply = await this.createComment('It is.', {replyTo: this.question.name});
    this.check(
      'CreateComment replies to a comment',
      [this.reply.replyTo, this.reply.depth],
      [this.question.name, 1],
    );
  }

  /** The pages from this token to the end, in threaded order, of one comment each. */
  async listPages(pageToken) {
    const pages = [];
    do {
      const page = await this.content.ListComments({
        parent: this.article,
        order: 'COMMENT_ORDER_THREADED',
        pageSize: 1,
        pageToken,
      });
      pages.push(page);
      pageToken = page.nextPageToken;
    } while (pageToken);
    return pages;
  }

  async listComments() {
    const threaded = names([this.question, this.reply, this.remark]);
    const pages = await this.listPages();
    this.check(
      'ListComments goes through the threads from page to page',
      pages.map(({comments}) => names(comments)),
      threaded.map((name) => [name]),
    );
    this.check(
      'ListComments counts the comments, each once',
      pages.map(({commentCount}) => commentCount),
      ['3', '3', '3'],
    );

    const page = await this.content.GetArticlePage({
      name: this.article,
      commentOrder: 'COMMENT_ORDER_THREADED',
      commentPageSize: 1,
      minRevision: this.reply.articleRevision,
    });
    this.check(
      'GetArticlePage has the article and its first comment',
      [page.article.commentCount, names(page.comments)],
      ['3', threaded.slice(0, 1)],
    );
    this.check(
      "GetArticlePage's token gets the others from ListComments",
      (await this.listPages(page.nextCommentPageToken)).map(({comments}) => names(comments)),
      threaded.slice(1).map((name) => [name]),
    );
  }

  getQuestion(minRevision) {
    return this.content.GetComment({name: this.question.name, minRevision});
  }

  updateQuestion(body) {
    const {name, etag} = this.question;
    return this.content.UpdateComment({
      comment: {name, body, etag},
      updateMask: {paths: ['body']},
    });
  }

  deleteQuestion(etag) {
    return this.content.DeleteComment({name: this.question.name, etag});
  }

  async changeWhileWatching() {
    const watch = this.content.WatchComments(
      {parent: this.article, afterRevision: 0},
      {deadline: Date.now() + TIMEOUT},
    );
    const messages = watch[Symbol.asyncIterator]();
    const latest = new Map(); // The latest state of each comment, by name.
    const watchUntil = async (revision) => {
      for (;;) {
        const {value: message, done} = await messages.next();
        if (done) throw new Wrong('WatchComments ended by itself');
        for (const comment of message.comments) latest.set(comment.name, comment);
        if (BigInt(message.articleRevision) >= BigInt(revision)) return;
      }
    };

    await watchUntil(this.reply.articleRevision);
    this.check(
      'WatchComments begins with the comments there are',
      [...latest.keys()].sort(),
      names([this.question, this.remark, this.reply]).sort(),
    );

    const {comment: updated} = await this.updateQuestion('Is it really so?');
    this.check(
      'UpdateComment changes the text',
      [updated.body, updated.editCount],
      ['Is it really so?', 1],
    );
    await this.checkRefused(
      'UpdateComment with a stale etag is ABORTED',
      this.updateQuestion('Perhaps not.'),
      grpc.status.ABORTED,
      'ETAG_MISMATCH',
    );
    const {comment: read} = await this.getQuestion(updated.articleRevision);
    this.check('GetComment with min_revision sees the change', read.etag, updated.etag);
    await this.checkRefused(
      'GetComment refuses a min_revision that is not reached',
      this.getQuestion(String(BigInt(updated.articleRevision) + 1000n)),
      grpc.status.FAILED_PRECONDITION,
      'REVISION_NOT_REACHED',
    );
    await watchUntil(updated.articleRevision);
    this.check(
      'WatchComments tells of the change',
      latest.get(this.question.name).body,
      'Is it really so?',
    );

    await this.checkRefused(
      'DeleteComment with a stale etag is ABORTED',
      this.deleteQuestion(this.question.etag),
      grpc.status.ABORTED,
      'ETAG_MISMATCH',
    );
    const {articleRevision: revision} = await this.deleteQuestion(updated.etag);
    const {comment: left} = await this.getQuestion(revision);
    this.check(
      'DeleteComment leaves a placeholder above the reply',
      [left.state, left.replyCount, left.body, left.author],
      ['COMMENT_STATE_DELETED', 1, '', null],
    );
    await watchUntil(revision);
    this.check(
      'WatchComments tells of the deletion',
      latest.get(this.question.name).state,
      'COMMENT_STATE_DELETED',
    );

    watch.cancel();
    const end = await messages.next().catch((error) => error.code);
    this.check('WatchComments ends when it is cancelled', end, grpc.status.CANCELLED);
  }

  async forgetFields() {
    await this.checkRefused(
      'a request that lacks fields is INVALID_ARGUMENT, and each is named',
      this.content.CreateComment({parent: this.article, comment: {}}),
      grpc.status.INVALID_ARGUMENT,
      'INVALID_REQUEST',
      ['comment.author.id', 'comment.author.display_name', 'comment.body'],
    );
  }

  async retract() {
    await this.admin.RetractArticle({name: this.article});
    await this.checkRefused(
      'a retracted article is NOT_FOUND',
      this.content.GetArticle({name: this.article}),
      grpc.status.NOT_FOUND,
      'ARTICLE_NOT_FOUND',
    );
  }
}

async function main() {
  const [target, protoFolder, mode] = process.argv.slice(2);
  if (!protoFolder || (mode && mode !== 'load')) {
    console.error('Usage: client.js TARGET PROTO-FOLDER [load]');
    process.exit(2);
  }
  const client = new Client(load(protoFolder), target, serviceConfig(protoFolder));
  try {
    if (mode === 'load') {
      console.log(client.tag, await client.putUnderLoad());
    } else {
      await client.run();
      console.log(`${client.checks} checks passed`);
    }
  } finally {
    client.close();
  }
}

main().catch((error) => {
  console.error(error instanceof Wrong ? `WRONG: ${error.message}` : error);
  process.exitCode = 1;
});
