"""Files that a step leaves or removes: after a hit they are as the step leaves them."""

from __future__ import annotations

import pytest


def _both(project, tmp_path, runs=3, between=lambda root: None):
    """Run plainly and under ddsimport side by side; the trees must stay equal. Gives what was
    evaluated by each of the runs under ddsimport."""
    import shutil

    twin = type(project)(tmp_path / "twin")
    shutil.copytree(project.root, twin.root, dirs_exist_ok=True)
    evaluated = []
    for _ in range(runs):
        plain, ours = twin.plain(), project.run()
        assert (ours.stdout, ours.code) == (plain.stdout, plain.code), ours.stderr + plain.stderr
        assert project.tree() == twin.tree()
        evaluated.append(ours.evaluated())
        between(project.root)
        between(twin.root)
    return evaluated


def test_a_file_is_put_back(project, tmp_path):
    project.write(
        main="""
        import os
        def work():
            os.makedirs("out/deep", exist_ok=True)
            with open("out/deep/a.txt", "w") as file:
                file.write("text")
            return 1
        x = work()  # dds: /x
        print(x, open("out/deep/a.txt").read())
        """
    )
    changes = [
        lambda root: (root / "out" / "deep" / "a.txt").unlink(),
        lambda root: (root / "out" / "deep" / "a.txt").write_text("else"),
        lambda root: (root / "out" / "deep" / "a.txt").chmod(0o600),
        lambda root: __import__("shutil").rmtree(root / "out"),
        lambda root: None,
    ]
    steps = iter([change for change in changes for _ in range(2)])
    evaluated = _both(project, tmp_path, 5, lambda root: next(steps)(root))
    assert evaluated[0] == {"/x"}
    assert evaluated[1:] == [set()] * 4


def test_mode_is_restored_as_the_step_leaves_it(project):
    project.write(
        main="""
        import os
        def work():
            with open("run.sh", "w") as file:
                file.write("echo")
            os.chmod("run.sh", 0o755)
        x = work()  # dds: /x
        """
    )
    project.same()
    (project.root / "run.sh").unlink()
    assert project.same().evaluated() == set()
    assert (project.root / "run.sh").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    "body",
    [
        "open('log.txt', 'a').write('line\\n')",
        "f = open('log.txt', 'r+'); old = f.read(); f.seek(0); f.write(old + 'x'); f.close()",
        "old = open('log.txt').read(); open('log.txt', 'w').write(old + 'y')",
        "os.rename('log.txt', 'old.txt'); open('log.txt', 'w').write('new')",
        "os.remove('log.txt'); open('log.txt', 'w').write('again')",
        "os.truncate('log.txt', 2)",
        "open('log.txt.tmp', 'w').write('n'); os.replace('log.txt.tmp', 'log.txt')",
        "os.path.exists('made') or os.mkdir('made'); open('made/x', 'w').write('1')",
        "os.symlink('log.txt', 'link') if not os.path.islink('link') else None",
        "[os.remove(n) for n in glob.glob('*.tmp')]; open('%d.tmp' % len(glob.glob('*.t*')), 'w')",
        "pathlib.Path('p/q').mkdir(parents=True, exist_ok=True); pathlib.Path('p/q/r').touch()",
        "os.makedirs('t', exist_ok=True); open('t/a', 'w'); os.rename('t', 'u')",
        "os.mkdir('t'); open('t/a', 'w'); os.rename('t', 'u'); shutil.rmtree('u')",
        "shutil.copy('log.txt', 'copy.txt')",
    ],
)
def test_like_python_whatever_was_there_before(project, tmp_path, body):
    project.write(
        main=f"""
        import glob, os, pathlib, shutil
        def work():
            {body}
            return 1
        x = work()  # dds: /x
        print(x, open("log.txt").read())
        """
    )
    (project.root / "log.txt").write_text("first\n")
    _both(project, tmp_path, 4)


def test_one_that_must_be_new_fails_as_in_python(project, tmp_path):
    project.write(
        main="""
        def work():
            with open("new.txt", "x") as file:
                file.write("1")
        x = work()  # dds: /x
        """
    )
    assert project.run().code == 0
    assert "FileExistsError" in project.run().stderr


def test_removed_again_by_a_hit(project, tmp_path):
    project.write(
        main="""
        import os
        def work():
            os.remove("old.txt")
            return 1
        x = work()  # dds: /x
        """
    )
    (project.root / "old.txt").touch()
    assert project.run().code == 0
    assert "FileNotFoundError" in project.run().stderr
    (project.root / "old.txt").write_text("back")
    ended = project.run()
    assert (ended.code, ended.evaluated()) == (0, set())
    assert not (project.root / "old.txt").exists()


def test_a_step_inside_another(project, tmp_path):
    project.write(
        main="""
        def inner(n):
            with open("inner.txt", "w") as file:
                file.write(str(n))
            return n
        def outer(n):
            a = inner(2)  # dds: /inner
            with open("outer.txt", "w") as file:
                file.write(open("inner.txt").read() + str(n))
            return a + n
        y = inner(2)  # dds: /again
        x = outer(3)  # dds: /outer
        print(x, open("outer.txt").read())
        """
    )
    _both(project, tmp_path, 2)
    for name in ("inner.txt", "outer.txt"):
        (project.root / name).unlink()
    ended = project.same()
    assert ended.evaluated() == set()
    assert (project.root / "outer.txt").read_text() == "23"
    project.edit("main.py", "outer(3)", "outer(4)")  # inner is a hit inside
    (project.root / "inner.txt").unlink()
    project.edit("main.py", "y = inner(2)  # dds: /again\n", "")
    assert project.same().stdout == "6 24\n"
    (project.root / "inner.txt").unlink()
    assert project.same().stdout == "6 24\n"
    assert (project.root / "inner.txt").read_text() == "2"


def test_a_copied_project_gets_them_too(project, tmp_path):
    import shutil

    project.write(
        main="""
        from pathlib import Path
        def work():
            (Path(__file__).parent / "out.txt").write_text("here")
            return 1
        x = work()  # dds: /x
        """
    )
    project.run()
    copy = type(project)(tmp_path / "copy")
    shutil.copytree(project.root, copy.root, dirs_exist_ok=True)
    (copy.root / "out.txt").unlink()
    (project.root / "out.txt").unlink()
    assert copy.run().evaluated() == set()
    assert (copy.root / "out.txt").read_text() == "here"
    assert not (project.root / "out.txt").exists()


def test_large_files_are_compared_by_size_and_time(project, tmp_path):
    project.write(
        main="""
        def work():
            with open("big.bin", "wb") as file:
                file.write(bytes(3 << 20))
            return 1
        x = work()  # dds: /x
        """
    )
    project.run()
    path = project.root / "big.bin"
    path.write_bytes(bytes(2 << 20))
    assert project.run().evaluated() == set()
    assert path.stat().st_size == 3 << 20
    status = path.stat()
    assert project.run().evaluated() == set()
    assert path.stat() == status


def test_more_than_is_kept(project):
    project.write(
        main="""
        import sys
        from ddsimport.runtime import left
        left.MOST = 1000
        def work(n):
            with open("big.bin", "wb") as file:
                file.write(bytes(n))
            return 1
        x = work(2000)  # dds: /x
        y = work(2000)  # dds: /y replay=off
        z = work(500)  # dds: /z
        """
    )
    statuses = {step["path"]: step["status"] for step in project.run().steps}
    assert statuses == {"/x": "uncached", "/y": "computed", "/z": "computed"}
