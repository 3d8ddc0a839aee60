#!/usr/bin/env python3
"""Images and their undo records that were copied, moved, renamed and lost in every combination, then `undo`.

    Tests/Scripts/undo-matrix.py DISKGRAFT [FOLDER] [WORD…]     with words only the cases that have all of them in their names

A change, finished or killed at one of several writes, of one image, of a flat VMDK (two files) and of two disks; then each way
of getting a copy or of moving things, each record left out, the original taken back first or last. Whatever happens:

- exit status 0 means that every file given is as before, or that there was nothing to undo;
- any other means that no file has changed;
- no file outside of the folder that the command line leads to is written by a command on a copy;
- what is half changed is never read, where the copy has its attributes or one of its records;
- the original goes back afterwards, to the byte.

Needs qemu-img, sfdisk, mke2fs, strace, and a folder on a file system that keeps extended attributes and birth times. Not part of
`swift test`: ten minutes.
"""
import hashlib, itertools, os, shutil, subprocess, sys

DISKGRAFT = os.path.abspath(sys.argv[1])
WORK = os.path.abspath(sys.argv[2] if len(sys.argv) > 2 else 'undo-matrix')
WORDS = sys.argv[3:]


def run(*command, cwd=None, check=False):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
    if check and done.returncode:
        raise SystemExit(f'{command}: {done.stdout}')
    return done


def shell(text, cwd):
    run('sh', '-ec', text, cwd=cwd, check=True)


def digest(path):
    try:
        with open(path, 'rb') as file:
            return hashlib.sha256(file.read()).hexdigest()
    except FileNotFoundError:
        return None


def prepare():
    os.makedirs(WORK + '/source', exist_ok=True)
    shell('''
        for d in root boot new/v new/boot vmdk; do mkdir -p $d; done; mkdir -p root/etc root/boot root/v
        r=11111111-2222-4333-8444-666666666666 b=11111111-2222-4333-8444-555555555555
        printf 'UUID=%s / ext4 defaults 0 1\nUUID=%s /boot ext4 defaults 0 2\n' $r $b >root/etc/fstab
        echo NAME=x >root/etc/os-release
        for i in 1 2 3 4 5 6; do
            yes "old $i" | head -3000 >root/v/f$i; yes "old $i" | head -3000 >boot/f$i
            yes "new $i" | head -3500 >new/v/f$i; yes "new $i" | head -3500 >new/boot/f$i
        done
        tar -C new -cf new.tar v boot; tar -C new -cf one.tar v
        for d in a b; do truncate -s 9M $d.raw; echo 2048,,83 | sfdisk -q $d.raw; done
        mke2fs -q -t ext4 -b 1024 -U $r -E offset=1048576 -d root a.raw 8M
        mke2fs -q -t ext4 -b 1024 -U $b -E offset=1048576 -d boot b.raw 8M
        qemu-img convert -O vmdk -o subformat=monolithicFlat a.raw vmdk/c.vmdk''', WORK + '/source')


# Names, options, the change, and the kills at the n-th pwrite64 (0: none). The second of two names follows from the first.
KINDS = {
    'one': (['a.raw'], ['--volume', 'p1', 'a.raw'], 'one.tar', (0, 12, 25)),
    'flat': (['c.vmdk', 'c-flat.vmdk'], ['--allow-siblings', '--volume', 'p1', 'c.vmdk'], 'one.tar', (0, 22, 30)),
    'two': (['a.raw', 'b.raw'], ['a.raw', '--with', 'b.raw'], 'new.tar', (0, 24, 30, 36)),
}
# How R becomes S; whether R stays as it was and has to go back as well; whether attributes go along.
WAYS = {
    'plain': ('mkdir S; cp R/* S', True, False),
    'archive': ('cp -a R S', True, True),
    'move': ('mv R S', False, True),
    'move-backup': ('mv R S; cp -r before R', False, True),
    'links': ('cp -al R S', False, True),
}


def arguments(kind, command, *more):
    names, options, _, _ = KINDS[kind]
    options = [o for o in options if o not in ('--volume', 'p1')] if command == 'undo' else options
    return [DISKGRAFT, command] + list(more) + options


def make(kind, kill):
    names, options, change, _ = KINDS[kind]
    folder = f'{WORK}/case'
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder + '/R')
    source = WORK + '/source' + ('/vmdk' if kind == 'flat' else '')
    for name in names:
        shutil.copy(f'{source}/{name}', folder + '/R')
    shutil.copytree(folder + '/R', folder + '/before')
    archive = f'{WORK}/source/{change}'
    command = [DISKGRAFT, 'untar'] + options + [archive, '/']
    if kill:
        command = ['strace', '-f', '-o', '/dev/null', '-e', f'inject=pwrite64:signal=KILL:when={kill}'] + command
    run(*command, cwd=folder + '/R')
    return folder


failures = []
count = 0


def complain(case, what, *outputs):
    failures.append(case)
    print(f'FAILED {case}: {what}', flush=True)
    for done in outputs:
        print('    ' + done.stdout.strip().replace('\n', '\n    '))


def one(kind, kill, way, missing, order, force):
    global count
    names = KINDS[kind][0]
    case = f'{kind} {"kill" + str(kill) if kill else "finished"} {way} missing-{missing} {order} {" ".join(force) or "plain-undo"}'
    if any(word not in case.split() for word in WORDS):
        return
    count += 1
    folder = make(kind, kill)
    script, stays, marked = WAYS[way]
    before = [digest(f'{folder}/before/{n}') for n in names]
    # Killed behind its last write it is complete, and not half changed.
    hot = bool(kill) and run(*arguments(kind, 'ls'), '/', cwd=folder + '/R').returncode != 0
    shell(script, folder)
    if missing != 'none':
        path = f'{folder}/S/{names[int(missing)]}.undo'
        if not os.path.exists(path):
            return
        os.unlink(path)
    original = lambda: [digest(f'{folder}/R/{n}') for n in names]
    copy = lambda: [digest(f'{folder}/S/{n}') for n in names]
    if order == 'original-first' and stays:
        first = run(*arguments(kind, 'undo'), cwd=folder + '/R')
        if original() != before:
            complain(case, 'the original did not go back', first)
    outside, inside = original(), copy()
    read = run(*arguments(kind, 'ls'), '/', cwd=folder + '/S')
    has_record = any(os.path.exists(f'{folder}/S/{n}.undo') for n in names)
    mixed = kill and inside != before and hot
    if mixed and read.returncode == 0 and (marked or missing == 'none' and has_record):
        complain(case, 'half changed and read', read)
    done = run(*arguments(kind, 'undo', *force), cwd=folder + '/S')
    if done.returncode == 0 and copy() != before and not (
        'othing to undo' in done.stdout or 'no undo record' in done.stdout) and copy() != inside:
        complain(case, 'exit 0 and not as before', done)
    if done.returncode == 0 and copy() != before and missing == 'none' and kill == 0:
        complain(case, 'a finished change did not go back', done)
    if done.returncode == 0 and hot and copy() != before and (marked or has_record):
        complain(case, 'half changed, and undo says nothing of it', done)
    if done.returncode == 2 and copy() != inside:
        complain(case, 'refused and written', done)
    if way != 'links' and original() != outside:
        complain(case, 'the original was written', done)
    if missing == 'none' and copy() != before:
        complain(case, 'with all records it does not go back', done)
    again = run(*arguments(kind, 'ls'), '/', cwd=folder + '/S')
    if missing == 'none' and again.returncode:
        complain(case, 'not free after it', again)
    if stays and order != 'original-first':
        last = run(*arguments(kind, 'undo'), cwd=folder + '/R')
        if original() != before:
            complain(case, 'the original does not go back afterwards', done, last)
    if stays and run(*arguments(kind, 'ls'), '/', cwd=folder + '/R').returncode:
        complain(case, 'the original is not free')


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    prepare()
    for kind in KINDS:
        names, _, _, kills = KINDS[kind]
        missing = ['none'] + [str(i) for i in range(len(names))]
        for kill, way, lost in itertools.product(kills, WAYS, missing):
            for order in ['copy-first', 'original-first'] if WAYS[way][1] else ['copy-first']:
                for force in [[], ['--force'], ['--force', '--other-file']]:
                    if force and (lost == 'none' or order == 'original-first'):
                        continue
                    one(kind, kill, way, lost, order, force)
    print(f'{count} cases, {len(failures)} failed')
    sys.exit(1 if failures else 0)


main()
