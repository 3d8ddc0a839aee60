/// What a user can do about an error. Data: a program offers it in its own words, the command as its flags and
/// commands.
public enum Remedy: Hashable, Sendable {
    /// Say which file is the image's parent.
    case nameParent
    /// Name a directory on a disk for the undo record.
    case nameUndoDirectory
    /// Allow regular files beside the image to be opened.
    case allowSiblings
    /// Say which format the file has; nil: one of several.
    case nameFormat(String?)
    /// Read what is left of a damaged image, and zeros for the rest.
    case salvage
    /// Take files as they are whose digest does not fit.
    case skipVerification
    /// Open files that a description names by a path.
    case allowPaths
    /// Take one of several machines.
    case chooseMachine
    /// Take one of several disks.
    case chooseDisk
    /// Read the image although a virtual machine or the host holds it.
    case ignoreLocks
    /// Have the locks of others honoured, which may only be passed over for reading.
    case honourLocks
    /// Take the earlier change back first.
    case undo
    /// Take it back on the disk that was changed, which is attached there.
    case undoDisk(path: String)
    /// Put back what an undo record keeps, over whatever is there now.
    case forceUndo
    /// Throw an undo record away and keep the image as it is.
    case discardUndo
    /// The same, where nothing was found to be wrong with the image as it is.
    case discardUndoOfSound
    /// The same, where the record is of another file.
    case discardUndoOfAnother
    /// Leave this file as it is, and give the undo record of another one a name of its own.
    case setUndoAside
    /// Give a further disk of the guest; its path, where it is known.
    case giveDisk(path: String?)
    /// Say which disk a device name stands for.
    case mapDisk(name: String)
    /// Work on the volume of a name by itself.
    case nameVolume
    /// Say which system is meant, by its root volume.
    case nameRoot
    /// Make a copy, which can be changed; options of the new format as key and value.
    case convert(options: [String])
    /// Convert and patch in one pass.
    case migrate
    /// Convert without changing the guest.
    case migrateUnpatched
    /// Check the image to see all that is wrong.
    case check
    /// Let the check mend what it can.
    case repair(Finding.Repair)
    /// Allow the disk to become shorter.
    case shrink
    /// Change an image though others are its children, and break.
    case changeParent
    /// Do it all the same.
    case force
    /// Let the change end the disk's changed block tracking.
    case dropChangeTracking
    /// Remove an empty directory, which is asked for by itself.
    case removeEmptyDirectory
    /// Remove a directory with everything in it.
    case removeTree
    /// Make a symbolic link.
    case linkSymbolically
    /// Copy files out of the guest and in again, then remove the old ones.
    case copyFiles
    /// Start the guest once and shut it down.
    case startGuest
    /// Run another program.
    case tool(String, arguments: [String])
}

extension [Remedy] {
    /// What follows the sentence that they belong to, "; this, or that", each as `name` has it; empty for none.
    public func clause(_ name: (Remedy) -> String) -> String {
        isEmpty ? "" : "; " + map(name).joined(separator: ", or ")
    }
}
