//! One direction of a relay: read here, write there, pass the end on.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// How many chunks one look may move before other tasks get their turn.
const ROUNDS: usize = 16;

thread_local! {
    /// The one read buffer of a worker thread: it is filled and emptied within one poll. What
    /// cannot be written at once goes to the direction's own `tail`.
    static SCRATCH: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// What to do with bytes for a writer that broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnBrokenWriter {
    /// Read and drop them, so that the reader's connection can be closed without a reset.
    Discard,
    /// Read no more.
    Stop,
}

/// How a direction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    ReaderEnded,
    ReaderBroke(io::ErrorKind),
    WriterBroke(io::ErrorKind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Copying,
    /// The reader has ended; the writer is to be told.
    Closing,
    Discarding,
    Done,
}

#[derive(Debug)]
pub(super) struct Direction {
    phase: Phase,
    on_broken_writer: OnBrokenWriter,
    end: Option<End>,
    /// Read and not yet written, from `written` on; reading waits until it is empty.
    tail: Vec<u8>,
    written: usize,
    unflushed: bool,
    delivered: u64,
}

impl Direction {
    pub(super) fn new(first_bytes: Vec<u8>, on_broken_writer: OnBrokenWriter) -> Self {
        Self {
            phase: Phase::Copying,
            on_broken_writer,
            end: None,
            tail: first_bytes,
            written: 0,
            unflushed: false,
            delivered: 0,
        }
    }

    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    pub(super) fn delivered(&self) -> u64 {
        self.delivered
    }

    pub(super) fn reader_broke(&self) -> bool {
        matches!(self.end, Some(End::ReaderBroke(_)))
    }

    /// The writer is known to be gone: from now on drop what comes.
    pub(super) fn discard(&mut self) {
        if matches!(self.phase, Phase::Copying) {
            self.phase = Phase::Discarding;
            self.forget_tail();
        }
    }

    /// Moves what can be moved; ready when this direction is over.
    pub(super) fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        writer: &mut W,
    ) -> Poll<()>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        for _ in 0..ROUNDS {
            match self.phase {
                Phase::Copying if !self.tail.is_empty() => ready!(self.poll_tail(cx, writer)),
                Phase::Copying => ready!(self.poll_chunk(cx, reader, writer)),
                Phase::Closing => {
                    // A writer that cannot be told has gone already.
                    let _ = ready!(Pin::new(&mut *writer).poll_shutdown(cx));
                    self.phase = Phase::Done;
                }
                Phase::Discarding => ready!(self.poll_discard(cx, reader)),
                Phase::Done => return Poll::Ready(()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads one chunk and writes as much of it as the writer takes.
    fn poll_chunk<R, W>(&mut self, cx: &mut Context<'_>, reader: &mut R, writer: &mut W) -> Poll<()>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        with_scratch(|scratch| {
            let mut chunk = ReadBuf::new(scratch);
            match Pin::new(reader).poll_read(cx, &mut chunk) {
                Poll::Pending => self.poll_idle(cx, writer),
                Poll::Ready(Err(error)) => {
                    self.reader_is_done(End::ReaderBroke(error.kind()));
                    Poll::Ready(())
                }
                Poll::Ready(Ok(())) if chunk.filled().is_empty() => {
                    self.reader_is_done(End::ReaderEnded);
                    Poll::Ready(())
                }
                Poll::Ready(Ok(())) => self.poll_write(cx, writer, chunk.filled()),
            }
        })
    }

    /// Nothing to read: see that what was written is on its way.
    fn poll_idle<W>(&mut self, cx: &mut Context<'_>, writer: &mut W) -> Poll<()>
    where
        W: AsyncWrite + Unpin,
    {
        if self.unflushed {
            match ready!(Pin::new(writer).poll_flush(cx)) {
                Ok(()) => self.unflushed = false,
                Err(error) => {
                    self.writer_broke(error.kind());
                    return Poll::Ready(());
                }
            }
        }
        Poll::Pending
    }

    fn poll_write<W>(&mut self, cx: &mut Context<'_>, writer: &mut W, chunk: &[u8]) -> Poll<()>
    where
        W: AsyncWrite + Unpin,
    {
        let mut rest = chunk;
        while !rest.is_empty() {
            match Pin::new(&mut *writer).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return self.fail(io::ErrorKind::WriteZero),
                Poll::Ready(Ok(n)) => {
                    self.note_delivered(n);
                    rest = &rest[n..];
                }
                Poll::Ready(Err(error)) => return self.fail(error.kind()),
                Poll::Pending => {
                    self.tail = rest.to_vec();
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(())
    }

    fn poll_tail<W>(&mut self, cx: &mut Context<'_>, writer: &mut W) -> Poll<()>
    where
        W: AsyncWrite + Unpin,
    {
        while self.written < self.tail.len() {
            match ready!(Pin::new(&mut *writer).poll_write(cx, &self.tail[self.written..])) {
                Ok(0) => return self.fail(io::ErrorKind::WriteZero),
                Ok(n) => {
                    self.written += n;
                    self.note_delivered(n);
                }
                Err(error) => return self.fail(error.kind()),
            }
        }
        self.forget_tail();
        Poll::Ready(())
    }

    fn poll_discard<R>(&mut self, cx: &mut Context<'_>, reader: &mut R) -> Poll<()>
    where
        R: AsyncRead + Unpin,
    {
        with_scratch(|scratch| {
            let mut chunk = ReadBuf::new(scratch);
            match ready!(Pin::new(reader).poll_read(cx, &mut chunk)) {
                Ok(()) if !chunk.filled().is_empty() => {}
                Ok(()) | Err(_) => self.phase = Phase::Done,
            }
            Poll::Ready(())
        })
    }

    fn note_delivered(&mut self, n: usize) {
        self.delivered += n as u64;
        self.unflushed = true;
    }

    fn reader_is_done(&mut self, end: End) {
        self.end = Some(end);
        self.phase = Phase::Closing;
    }

    fn fail(&mut self, kind: io::ErrorKind) -> Poll<()> {
        self.writer_broke(kind);
        Poll::Ready(())
    }

    fn writer_broke(&mut self, kind: io::ErrorKind) {
        self.end = Some(End::WriterBroke(kind));
        self.forget_tail();
        self.phase = match self.on_broken_writer {
            OnBrokenWriter::Discard => Phase::Discarding,
            OnBrokenWriter::Stop => Phase::Done,
        };
    }

    fn forget_tail(&mut self) {
        self.tail = Vec::new();
        self.written = 0;
    }
}

fn with_scratch<T>(act: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut scratch = SCRATCH.take().unwrap_or_else(|| vec![0; CHUNK].into_boxed_slice());
    let result = act(&mut scratch);
    SCRATCH.set(Some(scratch));
    result
}
