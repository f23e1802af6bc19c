"""The reading of a trace: calls that threads cut in two, and answers that did not wait for their fsync."""

from benchmarks.resilience.system_calls import judge, read_trace

ASK = '7 read(15<TCP:[8080]>, "POST /predict HTTP/1.1\\r\\n", 65536) = 80'
WRITE = '8 pwrite64(9</store/log.db-wal>, "frame"..., 4096, 32) = 4096'
SYNC = "8 fdatasync(9</store/log.db-wal>) = 0"
ANSWER = '7 write(15<TCP:[8080]>, "HTTP/1.1 200 OK\\r\\n"..., 400) = 400'


def test_an_answer_after_its_fsync_waited():
    assert judge(read_trace([ASK, WRITE, SYNC, ANSWER])) == (1, 0)


def test_an_answer_before_its_fsync_is_found():
    assert judge(read_trace([ASK, WRITE, ANSWER, SYNC])) == (0, 1)


def test_an_answer_without_a_line_in_the_log_is_found():
    assert judge(read_trace([ASK, SYNC, ANSWER])) == (0, 1)


def test_the_fsync_of_an_earlier_answer_does_not_count():
    assert judge(read_trace([ASK, WRITE, SYNC, ANSWER, ASK, ANSWER])) == (1, 1)


def test_an_fsync_that_began_before_the_write_does_not_count():
    cut = [
        "8 fdatasync(9</store/log.db-wal> <unfinished ...>",
        WRITE.replace("8 ", "6 ", 1),
        "8 <... fdatasync resumed>) = 0",
    ]
    assert judge(read_trace([ASK, *cut, ANSWER])) == (0, 1)


def test_calls_that_another_thread_interrupts_are_joined():
    cut = [
        "8 fdatasync(9</store/log.db-wal> <unfinished ...>",
        "7 read(16<TCP:[1]>, 1, 2) = 0",
        "8 <... fdatasync resumed>) = 0",
    ]
    assert judge(read_trace([ASK, WRITE, *cut, ANSWER])) == (1, 0)


def test_a_checkpoint_that_moves_older_answers_meanwhile_counts_for_nothing():
    checkpoint = WRITE.replace("8 ", "6 ", 1).replace("log.db-wal", "log.db")
    assert judge(read_trace([ASK, WRITE, SYNC, checkpoint, ANSWER])) == (1, 0)
