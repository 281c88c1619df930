/** A gateway that cannot be imported. */
throw new Error('no such cipher\nand a second line')
