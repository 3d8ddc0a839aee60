#!/usr/bin/env python3
"""Two images with changes of their own, finished, cut off, half taken back, or none; then their names, or those of their records,
are changed, exchanged or given to copies, and every command that a refusal advises is run, and what that advises, four deep.

    Tests/Scripts/undo-advice.py DISKGRAFT [FOLDER] [WORD…]     with words only the cases that have all of them in their names

Whatever is advised in whatever order:

- every file, known by its inode, holds what it held before its changes, after one of them, or what the cut left, and nothing else;
- of a file that is half changed the record is somewhere in the folder, unless what was advised said that it leaves the file so;
- what is refused has written nothing.

Needs mke2fs, strace, and a folder on a file system that keeps extended attributes and birth times. Not part of `swift test`:
half an hour.
"""
import glob, itertools, os, re, shlex, shutil, subprocess, sys

DISKGRAFT = os.path.abspath(sys.argv[1])
WORK = os.path.abspath(sys.argv[2] if len(sys.argv) > 2 else 'undo-advice')
WORDS = sys.argv[3:]
DEPTH = 4


def run(*command):
    return subprocess.run(command, cwd=WORK + '/case', stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')


def killed(call, number, *command):
    return run('strace', '-o', '/dev/null', '-e', f'inject={call}:signal=KILL:when={number}', DISKGRAFT, *command)


def put(name, number):
    return ['put', '--volume', 'disk', name, f'../content{number}', f'/f{number}']


def finished(name):
    run(DISKGRAFT, *put(name, 1))


def cut(name):
    killed('pwrite64', 9, *put(name, 2))


def undoing(name):
    finished(name)
    killed('pwrite64', 3, 'undo', name)


# How an image got its contents and its record.
STATES = {
    'clean': lambda name: None,
    'done': finished,
    'hot': cut,
    'hot-on-done': lambda name: (finished(name), cut(name)),
    'undoing': undoing,
    'complete': lambda name: killed('fsetxattr', 2, *put(name, 2)),
}
# What happened to the names, in shell.
WAYS = {
    'swapped': 'mv a.img t; mv b.img a.img; mv t b.img',
    'records-swapped': 'mv a.img.undo t 2>/dev/null; mv b.img.undo a.img.undo 2>/dev/null; mv t b.img.undo 2>/dev/null; true',
    'moved-up': 'mv a.img c.img; mv b.img a.img',
    'rotated': 'mv a.img c.img; mv b.img a.img; cp old.img b.img',
    'copy-has-name': 'mv a.img c.img; cp b.img a.img',
    'copy-with-attributes-has-name': 'mv a.img c.img; cp -a b.img a.img',
    'swapped-a-lost': 'mv a.img t; mv b.img a.img; mv t b.img; rm -f a.img.undo',
    'hard-link-takes-name': 'mv a.img c.img; ln b.img a.img',
    'apart': 'mkdir d; mv a.img d/b.img; mv b.img a.img',
}
STARTS = [['undo', 'a.img'], ['undo', 'b.img'], ['undo', 'a.img', '--with', 'b.img'], put('a.img', 3), put('b.img', 3)]


def contents(path):
    with open(path, 'rb') as file:
        return file.read()


def prepare():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK + '/case')
    for number in (1, 2, 3):
        with open(f'{WORK}/content{number}', 'wb') as file:
            file.write(os.urandom(60000))
    for name in 'ab':
        run('truncate', '-s', '1M', f'../{name}')
        run('mke2fs', '-q', '-t', 'ext2', '-b', '1024', '-N', '16', f'../{name}')


def make(states, way):
    """A case anew. For each inode its contents that are right, and whether it is half changed."""
    for name in os.listdir(WORK + '/case'):
        path = f'{WORK}/case/{name}'
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    files = {}
    for name, state in zip('ab', states):
        path = f'{WORK}/case/{name}.img'
        shutil.copy(f'{WORK}/{name}', path)
        right = [contents(path)]
        if state in ('hot-on-done', 'undoing'):
            finished(f'{name}.img')
            right.append(contents(path))
            cut(f'{name}.img') if state == 'hot-on-done' else killed('pwrite64', 3, 'undo', f'{name}.img')
        else:
            STATES[state](f'{name}.img')
        now = contents(path)
        is_half = state in ('hot', 'hot-on-done', 'undoing')
        files[os.stat(path).st_ino] = {'name': name, 'right': right, 'now': now, 'half': is_half and now not in right}
    shutil.copy(f'{WORK}/a', f'{WORK}/case/old.img')
    run('sh', '-c', WAYS[way])
    return files


def inodes():
    found = {}
    for path in glob.glob(WORK + '/case/**/*.img', recursive=True):
        found.setdefault(os.stat(path).st_ino, path)
    return found


def records():
    """Identifiers of the changes that some record holds."""
    found = set()
    for path in glob.glob(WORK + '/case/**/*.undo', recursive=True):
        bytes = contents(path)
        for start in range(0, len(bytes), 512):
            if bytes[start:start + 8] == b'DGUNDO3\n':
                found.add(bytes[start + 16:start + 32])
    return found


def mark(path):
    try:
        return os.getxattr(path, 'user.diskgraft.undo')[:32]
    except OSError:
        return None


failures, count, advised = [], 0, set()


def complain(case, what, log):
    failures.append(case)
    print(f'FAILED {case}: {what}', flush=True)
    for command, done in log:
        print(f'    $ {shlex.join(command)}\n      ' + done.stdout.strip().replace('\n', '\n      '))


def judge(case, way, files, log, wrote):
    found = inodes()
    for inode, file in files.items():
        if inode not in found:
            return complain(case, f'{file["name"]} is gone', log)
        now = contents(found[inode])
        if now == file['now'] or now in file['right'] or inode in wrote:
            pass
        else:
            return complain(case, f'{file["name"]} ({os.path.basename(found[inode])}) holds what it never held', log)
        if file['half'] and not (way == 'swapped-a-lost' and file['name'] == 'a') and now == file['now'] and file['record'] is not None:
            identifier = bytes.fromhex(file['record'].decode())
            if identifier not in records() and not any(
                    '--discard' in command and 'may be half changed' in done.stdout for command, done in log):
                return complain(case, f'the record of {file["name"]} is gone', log)
    return True


def advice(command, done):
    """The commands that the last answer advises, given the image that was named."""
    text = done.stdout
    subject = [word for word in command[1:] if not word.startswith('--force') and word not in ('--discard', '--other-file')]
    images = subject if command[0] == 'undo' else [command[3]]
    found = []
    for words in re.findall(r'`diskgraft (undo[^`]*)`', text):
        words = shlex.split(words)
        found.append(words if any(not w.startswith('--') for w in words[1:]) else words + images)
    for path in re.findall(r'give that disk too, with --with (\S+)', text):
        found.append(command + ['--with', path.rstrip(')')])
    return found


def follow(case, states, way, path):
    """Runs a path of commands in a case made anew, then each continuation."""
    global count
    files = make(states, way)
    for inode, name in inodes().items():
        if inode in files:
            files[inode]['record'] = mark(name)
    log = []
    wrote = set()
    for command in path:
        before = {inode: contents(name) for inode, name in inodes().items()}
        done = run(DISKGRAFT, *command)
        log.append((command, done))
        if command[0] == 'put' and done.returncode == 0:
            wrote |= {inode for inode, name in inodes().items() if before.get(inode) != contents(name)}
            # One file is meant.
            if len([inode for inode in wrote if files.get(inode)]) > 1:
                return complain(case, 'put wrote to two', log)
        if done.returncode == 2 and {inode: contents(name) for inode, name in inodes().items()} != before:
            return complain(case, 'refused and written', log)
        if done.returncode not in (0, 1, 2):
            return complain(case, f'exit status {done.returncode}', log)
    count += 1
    if judge(case, way, files, log, wrote) is None or len(path) == DEPTH:
        return
    for command in advice(path[-1], log[-1][1]):
        if command in path:
            continue
        advised.add(' '.join(word for word in command if word.startswith('--')) or 'undo')
        follow(case, states, way, path + [command])


def main():
    prepare()
    for states in itertools.product(STATES, STATES):
        for way in WAYS:
            case = f'{states[0]} {states[1]} {way}'
            if any(word not in case.split() for word in WORDS) or states == ('clean', 'clean'):
                continue
            for start in STARTS:
                follow(case, states, way, [start])
    print(f'{count} ways, {len(failures)} failed; advised: {sorted(advised)}')
    sys.exit(1 if failures else 0)


main()
