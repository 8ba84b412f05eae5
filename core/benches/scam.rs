//! How fast a chat is read: a thousand turns with a report at the end, and one more turn with its report.
#![allow(missing_docs, clippy::unwrap_used)]

use bonafide_core::scam::{Conversation, Engine, Setting, Side, Turn};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

const TURNS: usize = 1000;

/// Messages of a chat in two languages, ordinary ones and such as the engine looks for.
const MESSAGES: [&str; 8] = [
    "good morning, did you sleep well? it rained all night here and the cat would not let me be",
    "早上好，今天公司开会开到中午，现在才有空看手机，你吃了吗",
    "lol yes, tell me later, I am on the train",
    "我舅舅以前在期货公司做研究，数据公布前后那几分钟会带我做一点，一周两三次",
    "You only need a small amount to begin, 500 is fine, and you can take it out the next day if you don't like it.",
    "好的，晚上见",
    "the customer service says that the tax of 20% has to be paid before the withdrawal is released, see https://desk.example/w",
    "那你周末有没有空，一起去看那个展览吧，听说人不多",
];

fn turn(number: usize) -> Turn<'static> {
    let side = if number % 3 == 2 { Side::Me } else { Side::Them };
    Turn { side, text: MESSAGES[number % MESSAGES.len()], at: Some(number as i64 * 61_000) }
}

fn read(engine: &Engine, turns: usize) -> Conversation<'_> {
    let mut conversation = Conversation::with(engine, Setting::default());
    (0..turns).for_each(|number| conversation.add(turn(number)));
    conversation
}

fn scam(criterion: &mut Criterion) {
    let engine = Engine::built_in().unwrap();
    let mut group = criterion.benchmark_group("scam");
    group.throughput(Throughput::Elements(TURNS as u64));
    group
        .bench_function("1000 turns", |bencher| bencher.iter(|| black_box(read(engine, TURNS)).report("en")));
    group.throughput(Throughput::Elements(1));
    let long = read(engine, TURNS);
    group.bench_function("one more turn and a report", |bencher| {
        bencher.iter_batched(
            || long.clone(),
            |mut conversation| {
                conversation.add(black_box(turn(4)));
                conversation.report("zh-CN")
            },
            criterion::BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, scam);
criterion_main!(benches);
